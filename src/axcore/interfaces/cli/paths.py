"""Where a device keeps its state, and how a second terminal finds a running one.

``--data-dir`` wins, then ``$AXCORE_DATA_DIR``, then ``$XDG_STATE_HOME/axcore/<model>`` (``~/.local/state`` when
unset). A running device keeps ``instance.json`` there (0600): pid, model, addresses. It is removed at a clean stop.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

from axcore.devices import MODELS
from axcore.interfaces.cli.output import CliError

BOARD_SOCKET = "board.sock"
INSTANCE_FILE = "instance.json"


@dataclass(frozen=True)
class Running:
    """What a running device tells about itself."""

    model: str
    pid: int
    http: str
    """URL of plain HTTP, or empty."""
    https: str
    """URL of HTTPS, or empty."""
    certificate: str
    """File of the certificate that the device shows; the command line trusts exactly this one."""
    simulate: bool
    rtsp: str = ""
    """URL of RTSP, or empty."""
    rs485: str = ""
    """Far ends of the simulated reader connectors, with spaces between, or empty."""


def state_home() -> Path:
    """Where the data directories of all models are."""
    base = os.environ.get("XDG_STATE_HOME", "")
    return (Path(base) if os.path.isabs(base) else Path.home() / ".local" / "state") / "axcore"


def default_data_dir(model: str) -> Path:
    """The data directory of a model when none is given."""
    if given := os.environ.get("AXCORE_DATA_DIR"):
        return Path(given)
    return state_home() / model


def add_data_dir(parser: argparse.ArgumentParser) -> None:
    """For the verbs that speak to a running device."""
    parser.add_argument(
        "--data-dir", type=Path, metavar="DIR", help="data directory of the device (default: the running one)"
    )


def write_running(data_dir: Path, running: Running) -> None:
    """Tell others where this device is reached."""
    path = data_dir / INSTANCE_FILE
    fresh = path.with_suffix(".new")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(asdict(running), file)
    os.replace(fresh, path)


def remove_running(data_dir: Path) -> None:
    """At the end of this process; another's file stays."""
    running = read_running(data_dir)
    if running is not None and running.pid == os.getpid():
        with contextlib.suppress(FileNotFoundError):
            (data_dir / INSTANCE_FILE).unlink()


def read_running(data_dir: Path) -> Running | None:
    """The device that runs with this data directory, or None."""
    try:
        running = Running(**json.loads((data_dir / INSTANCE_FILE).read_text(encoding="utf-8")))
        os.kill(running.pid, 0)
    except (OSError, ValueError, TypeError):
        return None
    return running


def find_data_dir(given: Path | None) -> Path:
    """The data directory meant by the user: the given one, or that of the only running device."""
    if given is not None:
        if not given.is_dir():
            raise CliError(f"{given}: no such data directory", "give the --data-dir that `axcore run` printed")
        return given
    if env := os.environ.get("AXCORE_DATA_DIR"):
        return Path(env)
    found = [path.parent for path in sorted(state_home().glob(f"*/{INSTANCE_FILE}")) if read_running(path.parent)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise CliError(
            "no running device found",
            "start one in another terminal: axcore run a8207-ve-mk2 --simulate   (or give --data-dir)",
        )
    raise CliError(
        f"{len(found)} devices are running", "choose one: " + "  ".join(f"--data-dir {path}" for path in found), 2
    )


def find_running(given: Path | None) -> tuple[Path, Running]:
    """Data directory and addresses of the device meant by the user."""
    data_dir = find_data_dir(given)
    running = read_running(data_dir)
    if running is None:
        name = data_dir.name if data_dir.name in MODELS else "MODEL"
        raise CliError(
            f"no device runs with {data_dir}", f"start it: axcore run {name} --simulate --data-dir {data_dir}"
        )
    return data_dir, running


def connect_unix(path: Path, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
    """Connect to a UNIX socket by a path of any length (the address itself holds 107 bytes)."""
    sock = socket.socket(socket.AF_UNIX, kind)
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        sock.connect(str(path) if len(os.fsencode(path)) < 100 else f"/proc/self/fd/{folder}/{path.name}")
    except OSError:
        sock.close()
        raise
    finally:
        os.close(folder)
    return sock
