"""Parses the command line, runs one verb, turns exceptions into messages and exit codes."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from axcore.errors import AxError, ConfigError, InputError
from axcore.interfaces.cli.output import CliError, print_error

VERBS = {
    "run": "start a device",
    "check": "check a configuration file without starting",
    "models": "list the device models",
    "sim": "act on the simulated board: swipe a card, press a button ...",
    "status": "show a running device",
    "events": "show the event log",
    "rules": "list rules, explain them, simulate them, check them",
    "account": "add, list, change and remove accounts",
    "led": "light patterns: list, check for flashes, draw as a picture",
    "siren": "list the siren's sounds, render them to files",
    "audio": "take the echo out of a recording, with a picture of it",
    "profile": "measure a kernel or a scenario: table and flame graph",
    "doctor": "check that this machine can run axcore well",
    "version": "show the version",
    "demo": "play the manual's example on a simulated door station",
}


def build_parser(verb: str | None) -> argparse.ArgumentParser:
    """The whole list of verbs; only ``verb`` gets its arguments (and its module imported)."""
    parser = argparse.ArgumentParser(
        prog="axcore", description="The open software of networked doors, intercoms and sirens.", allow_abbrev=False
    )
    commands = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name, text in VERBS.items():
        command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".", allow_abbrev=False)
        if name == verb:
            importlib.import_module(f"axcore.interfaces.cli.{name}").configure(command)
    return parser


def main(argv: Sequence[str] | None = None, start: Callable[[Any], int] | None = None) -> int:
    """Gives the exit code. ``start`` composes and runs a device (see ``run.Launch``)."""
    words = list(sys.argv[1:] if argv is None else argv)
    verb = next((word for word in words if not word.startswith("-")), None)
    args = build_parser(verb).parse_args(words)
    args.start = start
    try:
        return _run(args)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing more to say to who has gone away
        return 1
    except KeyboardInterrupt:
        return 130


def _run(args: argparse.Namespace) -> int:
    try:
        return int(importlib.import_module(f"axcore.interfaces.cli.{args.verb}").run(args))
    except CliError as error:
        return print_error(args, str(error), error.hint, error.code)
    except ConfigError as error:
        return print_error(args, str(error), "correct that line; `axcore check` tells whether the file is good", 2)
    except InputError as error:
        return print_error(args, str(error), "", 2)
    except AxError as error:
        return print_error(args, str(error), "", 1)
