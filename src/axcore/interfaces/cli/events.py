"""``axcore events``: the event log of a device, running or not.

Reads the store in the data directory, which only its owner can; a device elsewhere is asked over REST:
``GET /config/rest/event-log/v1/events``.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from axcore.interfaces.cli.output import CliError, add_json, colour, print_json
from axcore.interfaces.cli.paths import add_data_dir, default_data_dir, find_data_dir, read_running

POLL_S = 0.05


def configure(parser: argparse.ArgumentParser) -> None:
    """Which events."""
    parser.add_argument("-f", "--follow", action="store_true", help="wait for more")
    parser.add_argument("--after", type=int, default=None, metavar="ID", help="only events with a higher id")
    parser.add_argument(
        "-n", "--count", type=int, default=None, help="the last so many; with --follow end after so many"
    )
    parser.add_argument("--topic", default="", help="only topics that contain this text")
    parser.add_argument("--correlation", help="only events that this operation caused")
    add_data_dir(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Print them, one a line (with ``--json --follow`` one document a line)."""
    try:
        data_dir = find_data_dir(args.data_dir)
    except CliError:
        data_dir = default_data_dir("a8207-ve-mk2")
        if args.follow or not data_dir.is_dir():
            raise
    chosen = (e for e in _read(data_dir, args) if _wanted(e, args))
    if args.follow:
        for number, event in enumerate(chosen, 1):
            _print(event, args)
            if args.count is not None and number >= args.count:
                break
        return 0
    events = list(chosen)
    if args.count is not None:
        events = events[-args.count :] if args.count > 0 else []
    if args.json:
        print_json(events)
    else:
        for event in events:
            _print(event, args)
    return 0


def _read(data_dir: Path, args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    from axcore.interfaces.cli.logfile import LogFile

    log = LogFile(data_dir)
    last = args.after if args.after is not None else 0
    while True:
        page = log.after(last, 1000)
        yield from page
        if page:
            last = page[-1]["id"]
        if len(page) == 1000:
            continue
        if not args.follow:
            return
        if read_running(data_dir) is None:
            raise CliError("the device has stopped", f"axcore run {data_dir.name} --simulate starts it again")
        time.sleep(POLL_S)


def _wanted(event: dict[str, Any], args: argparse.Namespace) -> bool:
    same = args.correlation is None or event.get("correlation") == args.correlation
    return same and args.topic.lower() in event["topic"].lower()


def _print(event: dict[str, Any], args: argparse.Namespace) -> None:
    if args.json:
        print_json(event)
        return
    when = datetime.fromisoformat(event["time"]).astimezone().strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    topic = event["topic"].rpartition("tnsaxis:")[2].removeprefix("tns1:")
    words = [f"{k}={v}" for part in ("source", "data") for k, v in event.get(part, {}).items()]
    if event.get("correlation"):
        words.append(f"({event['correlation']})")
    shade = "32" if topic.endswith("AccessGranted") else "31" if topic.endswith(("AccessDenied", "Fault")) else "36"
    print(f"{event['id']:>7}  {when}  {colour(f'{topic:<28}', shade)}  {' '.join(words)}", flush=True)
