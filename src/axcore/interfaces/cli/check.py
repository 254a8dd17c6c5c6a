"""``axcore check``: is the configuration file good? Starts nothing, changes nothing."""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from axcore.interfaces.cli.models import known_models
from axcore.interfaces.cli.output import CliError, add_json, print_json
from axcore.interfaces.cli.settings import read_config


def configure(parser: argparse.ArgumentParser) -> None:
    """The file."""
    parser.add_argument("-c", "--config", type=Path, metavar="FILE", help="default: ./axcore.toml")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """0 when the file is good; otherwise the error names file, line and key (exit code 2)."""
    config, files = read_config(args.config)
    if not files:
        raise CliError("no axcore.toml here", "a configuration file is optional; name one with -c", 2)
    model = config.device.model
    if model is not None and model not in known_models():
        raise CliError(f"device.model: {model} is no model", "axcore models lists them", 2)
    if args.json:
        print_json({"files": files, "config": msgspec.to_builtins(config)})
    else:
        print(f"{', '.join(files)}: good")
    return 0
