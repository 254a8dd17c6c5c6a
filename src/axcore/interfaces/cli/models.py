"""``axcore models``: the device models and what they have."""

from __future__ import annotations

import argparse
from typing import Any

from axcore.interfaces.cli.output import add_json, print_json, table


def configure(parser: argparse.ArgumentParser) -> None:
    """No arguments of its own."""
    add_json(parser)


def known_models() -> dict[str, Any]:
    """Model id -> capability table."""
    from axcore.devices.models import MODELS

    return dict(MODELS)


def run(args: argparse.Namespace) -> int:
    """List them."""
    models = known_models()
    if args.json:
        import msgspec

        print_json({name: msgspec.to_builtins(model) for name, model in models.items()})
        return 0
    rows = [
        [
            name,
            model.name,
            len(model.inputs),
            len(model.outputs),
            len(model.reader_places) or model.readers,
            "yes" if model.keypad else "no",
        ]
        for name, model in models.items()
    ]
    print(table(["model", "device", "inputs", "outputs", "readers", "keypad"], rows))
    return 0
