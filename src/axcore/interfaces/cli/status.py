"""``axcore status``: what a running device tells about itself (needs no account)."""

from __future__ import annotations

import argparse
from typing import Any

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
        "uptime": f"{ready.get('uptime', '?')} s", "https": running.https, "http": running.http, "rtsp": running.rtsp,
        "rs485": running.rs485, "pid": running.pid, "data": str(data_dir),
    }  # fmt: skip
    lines: dict[str, Any] = {}
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
            print(f"{name:13} {value}")
        if lines:
            print(f"{'active lines':13} {', '.join(_active(lines)) or lines.get('error', 'none')}")
        for token, door in lines.get("doors", {}).items():
            print(f"{token:13} {_door(door)}")
        if readers := lines.get("readers"):
            there = [name for name, online in readers.items() if online]
            print(f"{'readers':13} {', '.join(there) or 'none'} online, of {len(readers)}")
        if ready.get("needsetup") == "yes":
            print("\nThere is no account yet:  axcore account add admin --role admin")
    return 0 if ready["systemready"] == "yes" else 1


def _door(door: dict[str, str]) -> str:
    alarm = "" if door["alarm"] == "Normal" else f", alarm {door['alarm']}"
    return f"{door['mode']}, door {door['door']}, lock {door['lock']}{alarm}"


def _active(lines: dict[str, Any]) -> list[str]:
    sides = [(side, lines.get(side, {})) for side in ("inputs", "outputs")]
    return [f"{name} ({side[:-1]})" for side, states in sides for name, active in states.items() if active]
