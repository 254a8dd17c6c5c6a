"""Serial lines and the ptys in their place."""

from __future__ import annotations

import os
import select

import pytest

from axcore.drivers.serial import PtyLine, SerialLine, get_baud, set_baud
from axcore.errors import InputError


def test_a_pty_is_found_by_its_link_and_carries_every_byte(tmp_path):
    link = tmp_path / "rs485"
    near = PtyLine(link)
    far = SerialLine(path=str(link), baud=115200)
    fd, other = near.open(), far.open()
    every = bytes(range(256))
    os.write(fd, every)
    assert os.read(other, 1000) == every
    os.write(other, every)
    assert os.read(fd, 1000) == every
    far.close()
    assert not select.select([fd], [], [], 0)[0], "whoever leaves the far end does not end the line"
    far.open()
    os.write(fd, b"again")
    assert os.read(far.fd, 10) == b"again"
    far.close()
    near.close()
    near.close()
    assert not link.is_symlink()
    with pytest.raises(OSError, match="Bad file"):
        near.open()


@pytest.mark.parametrize("baud", [9600, 38400, 115200, 230400, 123456, 250000])
def test_any_speed_can_be_set(tmp_path, baud):
    near = PtyLine(tmp_path / "line")
    far = SerialLine(path=near.path, baud=baud)
    fd = far.open()
    assert get_baud(fd) == baud
    far.set_baud(57600)
    assert get_baud(fd) == 57600
    near.set_baud(19200)
    assert get_baud(fd) == 19200
    far.close()
    near.close()


@pytest.mark.parametrize("baud", [0, -1, 299, 4_000_001, True, "9600"])
def test_a_speed_that_is_none_is_refused(baud):
    with pytest.raises(InputError, match="baud: must be 300 to 4000000"):
        SerialLine(path="/dev/null", baud=baud)
    with pytest.raises(InputError, match="baud"):
        set_baud(0, baud)


def test_what_is_no_serial_line_is_refused_with_its_path(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"")
    with pytest.raises(OSError, match=str(file)):
        SerialLine(path=str(file)).open()
    with pytest.raises(OSError, match="nothing"):
        SerialLine(path=str(tmp_path / "nothing")).open()


def test_a_new_link_replaces_an_old_one(tmp_path):
    link = tmp_path / "rs485"
    link.symlink_to("/dev/pts/none")
    near = PtyLine(link)
    assert os.readlink(link) == near.path
    other = PtyLine(link)
    near.close()
    assert os.readlink(link) == other.path, "a link that another one has taken stays"
    other.close()
