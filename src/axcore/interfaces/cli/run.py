"""``axcore run``: start a device and tell the user how to reach it. What a device is made of is composed in
``axcore.app``."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from axcore.errors import StoreError
from axcore.interfaces.cli.models import known_models
from axcore.interfaces.cli.output import CliError, add_json, colour, print_json
from axcore.interfaces.cli.paths import Running, default_data_dir, read_running, remove_running, write_running
from axcore.interfaces.cli.settings import read_config
from axcore.model.config import Config

PROFILE_TO = "AXCORE_PROFILE_TO"
"""Environment: from SIGUSR1 to the end write folded stacks to this file (``axcore profile``)."""


@dataclass(frozen=True)
class Launch:
    """What the composition gets: the configuration with all defaults filled in, and whom to tell when it is ready."""

    config: Config
    model: str
    data_dir: Path
    simulate: bool
    announce: Callable[[Running], None]
    """Call once the ports are bound, before the supervisor is told."""


Start = Callable[[Launch], int]


def configure(parser: argparse.ArgumentParser) -> None:
    """Everything that the configuration file can say as well."""
    parser.add_argument("model", nargs="?", metavar="MODEL", help="device model (axcore models lists them)")
    parser.add_argument("--simulate", action="store_true", default=None, help="a simulated board instead of real lines")
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="where the state lives")
    parser.add_argument("--bind", metavar="ADDRESS", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--http-port", type=port, metavar="PORT", help="default 8080; 0 takes a free one")
    parser.add_argument("--https-port", type=port, metavar="PORT", help="default 8443; 0 takes a free one")
    parser.add_argument(
        "--rtsp-port", type=rtsp_port, metavar="PORT", help="event stream; default 554 or 8554; 0 takes a free one, off"
    )
    parser.add_argument("-c", "--config", type=Path, metavar="FILE", help="configuration file (default ./axcore.toml)")
    add_json(parser)


def port(text: str) -> int:
    """A TCP port."""
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text} is not a port (0..65535)")
    return int(text)


def rtsp_port(text: str) -> int | str:
    """A TCP port, ``auto`` or ``off``."""
    return text if text in ("auto", "off") else port(text)


def run(args: argparse.Namespace) -> int:
    """Run until Ctrl-C or SIGTERM."""
    config, _ = read_config(args.config)
    asked = {
        "bind": args.bind, "http_port": args.http_port, "https_port": args.https_port, "rtsp_port": args.rtsp_port,
    }  # fmt: skip
    network = msgspec.structs.replace(config.network, **{k: v for k, v in asked.items() if v is not None})
    config = msgspec.structs.replace(config, network=network)
    model = args.model or config.device.model
    if model is None:
        raise CliError("which device?", "e.g. axcore run a8207-ve-mk2 --simulate   (axcore models lists them)", 2)
    if model not in known_models():
        raise CliError(f"{model} is no model", "choose one of: " + ", ".join(known_models()), 2)
    given = args.data_dir or (Path(config.device.data_dir) if config.device.data_dir else None)
    data_dir = (given or default_data_dir(model)).absolute()
    simulate = bool(args.simulate) or config.device.simulate
    _make(data_dir)
    try:
        launch = Launch(config, model, data_dir, simulate, lambda running: _announce(args, data_dir, running))
        return _run(args.start, launch)
    except OSError as error:
        raise CliError(
            f"cannot start: {error}", "another port: --https-port 0 --http-port 0 --rtsp-port 0 take free ones"
        ) from error
    except StoreError as error:
        other = read_running(data_dir)
        if other is None or other.pid == os.getpid():
            raise
        raise CliError(f"{data_dir} is in use by process {other.pid}", "stop it, or give another --data-dir") from error
    finally:
        remove_running(data_dir)


def _run(start: Start, launch: Launch) -> int:
    target = os.environ.get(PROFILE_TO)
    if not target:
        return start(launch)
    from axcore.interfaces.cli.sampler import Sampler

    sampler = Sampler()
    signal.signal(signal.SIGUSR1, lambda number, frame: sampler.start())
    try:
        return start(launch)
    finally:
        sampler.stop()
        sampler.write(Path(target))


def _make(data_dir: Path) -> None:
    """Make the data directory, for its owner only (0700). The store locks it when it is opened."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise CliError(f"{data_dir}: {error.strerror}", "give another --data-dir") from error


def _announce(args: argparse.Namespace, data_dir: Path, running: Running) -> None:
    write_running(data_dir, running)
    if args.json:
        print_json(msgspec.to_builtins(running) | {"data_dir": str(data_dir)})
        return
    where = "" if data_dir == default_data_dir(running.model) else f" --data-dir {data_dir}"
    next_steps = [
        ("account add admin --role admin", "the first admin"),
        ("status", ""),
    ]
    if running.simulate:
        next_steps += hints(running.model)
    next_steps.append(("events --follow", "the event log"))
    commands = [(f"{_command()} {words}{where}", text) for words, text in next_steps]
    width = max(len(words) for words, _ in commands)
    print(
        f"{running.model} is ready" + (" (simulated board)" if running.simulate else ""),
        "",
        f"  HTTPS   {colour(running.https, '36')}   (self-signed certificate)",
        f"  HTTP    {colour(running.http, '36')}   (digest only)",
        *([f"  RTSP    {colour(running.rtsp, '36')}   (event stream)"] if running.rtsp else []),
        f"  data    {data_dir}",
        "",
        "From a second terminal:",
        *(f"  {words:{width}}   {text}".rstrip() for words, text in commands),
        "",
        "Ctrl-C stops it.",
        sep="\n",
        flush=True,
    )


def hints(model: str) -> list[tuple[str, str]]:
    """What can be tried at the simulated board of a model, and what it is."""
    device = known_models()[model]
    found: list[tuple[str, str]] = []
    if device.readers or device.reader_places:
        found.append(("sim card --facility 1 --card 10213", "swipe a card"))
    if any(line.role == "rex" for line in device.inputs):
        found.append(("sim rex", "request to exit: the door opens"))
    if device.doors:
        found.append(("sim door open", "open the door by hand: an alarm, if nobody may"))
    if device.siren:
        found.append(("sim button", "press the control button"))
        found.append(("sim picture", "a picture of what the light does"))
    return found


def _command() -> str:
    """How the user can call this program from the same place: with the path, when it is that of a local environment."""
    program = Path(sys.argv[0])
    if program.name != "axcore":
        return "python -m axcore"
    try:
        return str(program.absolute().relative_to(Path.cwd()))
    except ValueError:
        return "axcore"
