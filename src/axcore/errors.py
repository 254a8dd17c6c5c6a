"""Every exception that axcore raises on purpose.

``AxError`` is the root. Errors about a user's input derive from ``InputError`` and name the field; errors of native
code derive from ``NativeError`` (the table from C codes is in ``_native/err.pyx``).
"""

from __future__ import annotations


class AxError(Exception):
    """Root of all axcore exceptions."""


class InputError(AxError, ValueError):
    """A value given by a user is refused; nothing was changed.

    ``field`` is the dotted path of the offending field (``"holder.first_name"``), ``reason`` says what is wrong and,
    where it helps, what to do instead.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class LimitError(InputError):
    """A documented maximum is reached (51st credential holder, 257th rule ...)."""


class ConflictError(InputError):
    """The value collides with another record (a name that must be unique) or with something that is running."""


class NotFoundError(InputError):
    """No record has this key."""


class ConfigError(AxError):
    """The configuration file is wrong; ``str()`` gives ``file:line: key: reason``."""

    def __init__(self, file: str, line: int, key: str, reason: str) -> None:
        super().__init__(f"{file}:{line}: {key}: {reason}")
        self.file = file
        self.line = line
        self.key = key
        self.reason = reason


class StoreError(AxError):
    """The store cannot be read or written; ``path`` names the file."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class NativeError(AxError):
    """A native call failed."""


class ArgumentError(NativeError, ValueError):
    """An argument makes no sense."""


class RangeError(NativeError, ValueError):
    """A number is outside its documented range."""


class QueueFullError(NativeError):
    """A bounded queue has no room; nothing was stored. Try again later."""


class StateError(NativeError):
    """Not allowed in the present state."""


class FormatError(NativeError, ValueError):
    """Input does not have the promised form."""


class ParityError(FormatError):
    """A parity bit does not hold."""
