"""Serial lines: any speed (termios2), RS-485 switched by the kernel (TIOCSRS485), and ptys in their place.

Linux only. Descriptors are raw (8 data bits, no parity, one stop bit), non-blocking and not inherited.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import struct
import termios
import tty
from pathlib import Path
from typing import Protocol

import msgspec

from axcore.errors import InputError

__all__ = ["KeptLine", "Line", "PtyLine", "SerialLine", "set_baud"]

MIN_BAUD, MAX_BAUD = 300, 4_000_000
_TERMIOS2 = struct.Struct("=4IB19s2I")
"""c_iflag, c_oflag, c_cflag, c_lflag, c_line, c_cc, c_ispeed, c_ospeed (asm-generic/termbits.h)."""
_TCGETS2, _TCSETSW2 = 0x802C542A, 0x402C542C
_CBAUD, _BOTHER, _IBSHIFT = 0o010017, 0o010000, 16
_RS485 = struct.Struct("=3I20s")
"""struct serial_rs485: flags, delay before and after sending (ms), padding."""
_TIOCSRS485 = 0x542F
_RS485_ENABLED, _RTS_ON_SEND = 1, 2
_NO_RS485 = (errno.ENOTTY, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)


class Line(Protocol):
    """Something that bytes go over. It can be opened again after it has failed."""

    @property
    def path(self) -> str:
        """What the other end opens, or where the device is."""

    def open(self) -> int:
        """A descriptor; the former one is closed. Raises OSError."""

    def set_baud(self, baud: int) -> None:
        """Change the speed, once what was written is out. Raises OSError."""

    def close(self) -> None:
        """Close it. Again: no effect."""


class SerialLine(msgspec.Struct, kw_only=True):
    """A serial device: ``/dev/ttyS1``, a USB adapter, the far end of a pty."""

    path: str
    baud: int = 9600
    rs485: bool = True
    """Let the kernel drive the transmitter; passed over where the driver cannot (adapters that do it by themselves)."""
    fd: int = -1

    def __post_init__(self) -> None:
        _check(self.baud)

    def open(self) -> int:
        self.close()
        fd = os.open(self.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            tty.setraw(fd, termios.TCSANOW)
            set_baud(fd, self.baud)
            if self.rs485:
                _set_rs485(fd)
            termios.tcflush(fd, termios.TCIOFLUSH)
        except BaseException as error:
            os.close(fd)
            if isinstance(error, termios.error):
                raise OSError(error.args[0], error.args[1], self.path) from None
            raise
        self.fd = fd
        return fd

    def set_baud(self, baud: int) -> None:
        _check(baud)
        self.baud = baud
        if self.fd >= 0:
            set_baud(self.fd, baud)

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


class PtyLine:
    """A simulated line: a pty whose far end others open at ``path``, which is also what ``link`` points to.

    The far end is kept open here as well, so that whoever comes and goes there does not end the line.
    """

    def __init__(self, link: Path | None = None) -> None:
        self._fd, self._far = os.openpty()
        tty.setraw(self._far, termios.TCSANOW)
        os.set_blocking(self._fd, False)
        self.path = os.ttyname(self._far)
        self._link = link
        if link is not None:
            _point(link, self.path)

    def open(self) -> int:
        if self._fd < 0:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF), self.path)
        return self._fd

    def set_baud(self, baud: int) -> None:
        """Told to those who ask the far end; bytes take no time here."""
        _check(baud)
        set_baud(self._far, baud)

    def close(self) -> None:
        if self._fd < 0:
            return
        os.close(self._fd)
        os.close(self._far)
        self._fd = -1
        if self._link is not None:
            with contextlib.suppress(OSError):
                if os.readlink(self._link) == self.path:
                    self._link.unlink()


class KeptLine:
    """A line that stays open when its user lets go of it: a pty that others know by name."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self.path = line.path

    def open(self) -> int:
        fd = self._line.open()
        with contextlib.suppress(termios.error):
            termios.tcflush(fd, termios.TCIOFLUSH)
        return fd

    def set_baud(self, baud: int) -> None:
        self._line.set_baud(baud)

    def close(self) -> None:
        """Nothing: the line is another's."""


def set_baud(fd: int, baud: int) -> None:
    """Set the speed in both directions, exactly where the hardware can. OSError where it cannot at all."""
    _check(baud)
    raw = fcntl.ioctl(fd, _TCGETS2, bytes(_TERMIOS2.size))
    iflag, oflag, cflag, lflag, line, cc, _, _ = _TERMIOS2.unpack(raw)
    cflag = cflag & ~(_CBAUD | _CBAUD << _IBSHIFT) | _BOTHER | _BOTHER << _IBSHIFT
    fcntl.ioctl(fd, _TCSETSW2, _TERMIOS2.pack(iflag, oflag, cflag, lflag, line, cc, baud, baud))


def get_baud(fd: int) -> int:
    """The speed that the driver has set."""
    return int(_TERMIOS2.unpack(fcntl.ioctl(fd, _TCGETS2, bytes(_TERMIOS2.size)))[7])


def _set_rs485(fd: int) -> None:
    try:
        fcntl.ioctl(fd, _TIOCSRS485, _RS485.pack(_RS485_ENABLED | _RTS_ON_SEND, 0, 0, b""))
    except OSError as error:
        if error.errno not in _NO_RS485:
            raise


def _point(link: Path, path: str) -> None:
    new = link.with_name(f".{link.name}.{os.getpid()}")
    new.unlink(missing_ok=True)
    new.symlink_to(path)
    new.replace(link)


def _check(baud: int) -> None:
    if type(baud) is not int or not MIN_BAUD <= baud <= MAX_BAUD:
        raise InputError("baud", f"must be {MIN_BAUD} to {MAX_BAUD}")
