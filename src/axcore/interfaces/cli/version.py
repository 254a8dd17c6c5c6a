"""``axcore version``: the version, and how the native core was built."""

from __future__ import annotations

import argparse
import platform

from axcore import build_info
from axcore.interfaces.cli.output import add_json, print_json


def configure(parser: argparse.ArgumentParser) -> None:
    """``--build``."""
    parser.add_argument("--build", action="store_true", help="compiler, flags and SIMD levels as well")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Print it."""
    facts = {"version": build_info.VERSION}
    if args.build:
        facts |= {name.lower(): str(value) for name, value in vars(build_info).items() if name.isupper()}
        facts |= {
            "python": f"{platform.python_implementation()} {platform.python_version()}",
            "system": platform.platform(),
        }
    if args.json:
        print_json(facts)
    elif args.build:
        width = max(map(len, facts))
        print("\n".join(f"{name:{width}}  {value}" for name, value in facts.items()))
    else:
        print(f"axcore {build_info.VERSION}")
    return 0
