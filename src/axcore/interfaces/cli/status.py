"""``axcore status``: what a running device tells about itself (needs no account)."""

from __future__ import annotations

import argparse

from axcore.interfaces.cli.board import Board
from axcore.interfaces.cli.client import Client
from axcore.interfaces.cli.output import CliError, add_json, print_json
from axcore.interfaces.cli.paths import BOARD_SOCKET, add_data_dir, find_running


def configure(parser: argparse.ArgumentParser) -> None:
    """Which device."""
    add_data_dir(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """0 when the device is ready."""
    data_dir, running = find_running(args.data_dir)
    client = Client.of(running)
    ready = client.ajr("systemready", "systemready", {"timeout": 0})
    info = client.ajr("basicdeviceinfo", "getAllUnrestrictedProperties")["propertyList"]
    facts = {
        "model": running.model, "device": info.get("ProdFullName", ""), "serial": info.get("SerialNumber", ""),
        "version": info.get("Version", ""), "ready": ready["systemready"], "needs setup": ready.get("needsetup", ""),
        "uptime": f"{ready.get('uptime', '?')} s", "https": running.https, "http": running.http, "pid": running.pid,
        "data": str(data_dir),
    }  # fmt: skip
    lines = {}
    if (data_dir / BOARD_SOCKET).exists():
        try:
            with Board(data_dir) as board:
                lines = board.call("state")
        except CliError as error:
            lines = {"error": str(error)}
    if args.json:
        print_json({**facts, "board": lines})
    else:
        for name, value in facts.items():
            print(f"{name:12} {value}")
        if lines:
            print(f"{'board':12} " + ", ".join(_line(name, value) for name, value in lines.items()))
        if ready.get("needsetup") == "yes":
            print("\nThere is no account yet:  axcore account add admin --role admin")
    return 0 if ready["systemready"] == "yes" else 1


def _line(name: str, value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(_line(key, inner) for key, inner in value.items())
    return f"{name} {'active' if value is True else 'inactive' if value is False else value}"
