"""Reads ``axcore.toml`` and its ``conf.d``."""

from __future__ import annotations

from pathlib import Path

from axcore.interfaces.cli.output import CliError
from axcore.model.config import Config, parse

DEFAULT_FILE = Path("axcore.toml")


def read_config(path: Path | None) -> tuple[Config, list[str]]:
    """The configuration and the names of the files it came from. Without ``path``: ./axcore.toml if there is one."""
    if path is None and not DEFAULT_FILE.is_file():
        return Config(), []
    main = path or DEFAULT_FILE
    files = [main, *sorted((main.parent / "conf.d").glob("*.toml"))]
    texts = []
    for file in files:
        try:
            texts.append((str(file), file.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not UTF-8 text"
            raise CliError(f"{file}: {reason}", "give the configuration file with -c", 2) from error
    return parse(texts, _lines), [name for name, _ in texts]


def _lines(model: str | None) -> frozenset[str]:
    """Names of the lines of a model, or of all."""
    from axcore.devices import MODELS

    chosen = [MODELS[model]] if model in MODELS else list(MODELS.values())
    inputs = {line.name for device in chosen for line in device.inputs}
    return frozenset(inputs | {line.name for device in chosen for line in device.outputs})
