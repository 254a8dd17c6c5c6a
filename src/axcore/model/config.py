"""The configuration file ``axcore.toml``: what an operator decides before a device starts.

What a user can change at run time is not here: it lives in the store. Errors name file, line and key.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from typing import Annotated, Any

import msgspec

from axcore.errors import ConfigError

Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]


class DeviceConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[device]``."""

    model: str | None = None
    simulate: bool = False
    data_dir: str | None = None


class NetworkConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[network]``. A port of 0 takes a free one; HTTPS cannot be turned off."""

    bind: str = "127.0.0.1"
    http_port: Port = 8080
    https_port: Port = 8443


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    device: DeviceConfig = DeviceConfig()
    network: NetworkConfig = NetworkConfig()


def parse(files: Iterable[tuple[str, str]]) -> Config:
    """Parse ``(name, text)`` of axcore.toml and of conf.d/*.toml in their order; a later file wins key by key.

    Raises ConfigError (``file:line: key: reason``).
    """
    merged: dict[str, Any] = {}
    for name, text in files:
        try:
            tree = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise _syntax(name, text, str(error)) from error
        try:
            msgspec.convert(tree, Config)
        except msgspec.ValidationError as error:
            raise _invalid(name, text, str(error)) from error
        for table, values in tree.items():
            merged.setdefault(table, {}).update(values)
    return msgspec.convert(merged, Config)


def _syntax(name: str, text: str, message: str) -> ConfigError:
    at = re.search(r"\(at line (\d+), column \d+\)", message)
    line = int(at[1]) if at else max(1, len(text.splitlines()))
    reason = re.sub(r"\s*\(at .*\)", "", message)
    lines = text.splitlines()
    key = lines[line - 1].partition("=")[0].strip()[:40] if line <= len(lines) else "end of file"
    return ConfigError(name, line, key or "syntax", reason)


def _invalid(name: str, text: str, message: str) -> ConfigError:
    reason, _, path = message.partition(" - at ")
    key = path.strip("`").removeprefix("$").removeprefix(".")
    if unknown := re.search(r"unknown field `([^`]*)`", reason):
        key = f"{key}.{unknown[1]}".strip(".")
        reason = "no such setting"
    return ConfigError(name, find_line(text, key), key, reason)


def find_line(text: str, key: str) -> int:
    """The 1-based line that sets the dotted ``key`` (or opens its table); 1 if it cannot be told."""
    table = key.rpartition(".")[0]
    current, fallback = "", 1
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if header := re.fullmatch(r"\[\s*([^\[\]]+?)\s*\](\s*#.*)?", stripped):
            current = header[1].replace('"', "").replace(" ", "")
            if current == key:
                return number
            if current == table:
                fallback = number
        elif pair := re.match(r"([A-Za-z0-9_.\"'-]+)\s*=", stripped):
            name = pair[1].replace('"', "").replace("'", "")
            if (f"{current}.{name}" if current else name) == key or (not current and name == table):
                return number
    return fallback
