"""The strobe siren's light and sound as seen and heard from outside: a process, its tap and its captures."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

from axcore.app import Device
from axcore.interfaces.cli import client as net
from axcore.interfaces.cli.board import BoardError
from axcore.interfaces.cli.instance import Instance, Tap, wait_for
from axcore.interfaces.cli.main import main
from axcore.model import events
from axcore.model.profiles import Light, Siren
from axcore.testing.signal import Frame, SignalReader, gaps, jitter
from tests.e2e.patience import PATIENCE

FRAME_NS = 10_000_000
STALL_S = 4
DITHER = 1 / 255
"""What a code may be beside its light in one frame."""
DEADLINE_NS = 5_000_000_000
"""From a start to its first frame and sample; a machine that is busy with other things is far below it."""


@pytest.fixture
def siren() -> Iterator[Instance]:
    with Instance(model="d4100-ve-mk2") as instance:
        instance.start()
        instance.create_admin()
        yield instance


def is_triangle(frame: Frame) -> bool:
    """Three sections, a third of a turn apart, in white; the others are dark."""
    sections = [frame.section(number) for number in range(12)]
    lit = [number for number, light in enumerate(sections) if any(light)]
    white = all(max(light) - min(light) < DITHER for light in sections)
    return white and len(lit) == 3 and lit[1] - lit[0] == lit[2] - lit[1] == 4


def test_a_new_device_shows_the_maintenance_triangle_and_is_silent(siren: Instance) -> None:
    """Overview > Maintenance mode: on at first start; a pulsating white triangle; no sound."""
    assert siren.tap.expect("light", True, PATIENCE)
    with SignalReader(siren.data_dir) as signal:
        first = signal.wait_frame(is_triangle)
        dim = signal.wait_frame(lambda frame: max(frame.rgb) < 5, first.number)  # it pulsates
        bright = signal.wait_frame(lambda frame: max(frame.rgb) > 25, dim.number)
        assert is_triangle(bright)
        assert signal.blocks() == []
    state = siren.board().call("state")
    assert (state["light"]["pattern"], state["siren"]) == ("Maintenance", {"pattern": None, "rms": 0.0})


def test_frames_go_on_while_the_loop_is_blocked(siren: Instance) -> None:
    with SignalReader(siren.data_dir) as signal:
        began = siren.board().call("stall", seconds=STALL_S)["t_ns"]
        until = began + (STALL_S - 1) * 1_000_000_000
        last = signal.wait_frame(lambda frame: frame.t_ns > until)
        frames = [frame for frame in signal.frames() if began < frame.t_ns <= last.t_ns]
    assert len(frames) >= (STALL_S - 1) * 50
    assert max(gaps(frames)) < 1_000_000_000  # a stolen processor is not the loop's
    assert sorted(jitter(frames))[len(frames) // 2] < FRAME_NS


def test_at_the_end_it_is_dark_and_a_kill_leaves_nothing_behind(siren: Instance) -> None:
    with SignalReader(siren.data_dir) as signal:
        signal.wait_frame(is_triangle)
        siren.stop()
        last = signal.frames()[-1]
        assert not last.lit
    assert not (siren.data_dir / "light.ring").is_symlink()
    assert [edge.active for edge in siren.tap.drain() if edge.io == "light"] == [True, False]
    siren.start()
    with SignalReader(siren.data_dir) as signal:
        signal.wait_frame(is_triangle)
        siren.kill()
        assert signal.frames()[-1].lit  # the memory is still there for who had it open
    siren.start()
    with SignalReader(siren.data_dir) as signal:
        signal.wait_frame(is_triangle)


def test_the_control_button_is_told_and_flashes(siren: Instance) -> None:
    log = net.EventLog(siren.client())
    siren.board().call("button", duration=0.1, correlation="pressed")
    assert log.wait(events.CONTROL_BUTTON, "pressed", PATIENCE)["data"] == {"function": "O3C"}


def test_the_control_button_kept_pressed_resets_to_factory_default(siren: Instance) -> None:
    """Reset to factory default settings: pressed for 15-30 s, the status LED flashes amber, then let go."""
    board, log = siren.board(), net.EventLog(siren.client())
    board.call("button", active=True, correlation="hold")
    flashing = {"color": "amber", "interval": "500"}

    def warned() -> bool:
        return any(e["topic"] == events.LED_STATE and e["data"] == flashing for e in log.read())

    wait_for("amber flashes", warned, PATIENCE, step=0.5)  # wall clock: the manual's 15 s
    board.call("button", active=False)
    siren.wait_state("STOPPING=1", PATIENCE)
    siren.wait_state("READY=1", PATIENCE)
    siren.create_admin()  # the first one again: nobody is known
    with SignalReader(siren.data_dir) as signal:
        signal.wait_frame(is_triangle)


def test_parts_break_and_power_falls(siren: Instance) -> None:
    board = siren.board()
    assert board.call("fault", part="light1", broken=True)["part"] == "light1"
    wait_for("a triangle of two", lambda: sum(map(any, board.call("state")["light"]["sections"])) == 2, PATIENCE)
    assert board.call("state")["faults"] == ["light1"]
    board.call("sensor", name="poe", value=3)
    with pytest.raises(BoardError, match="3 or 4"):
        board.call("sensor", name="poe", value=5)
    with pytest.raises(BoardError, match="light12"):
        board.call("fault", part="horn", broken=True)


def test_a_door_station_has_no_such_parts(started: Instance) -> None:
    with pytest.raises(BoardError, match="no part 'siren'"):
        started.board().call("fault", part="siren", broken=True)
    assert not (started.data_dir / "light.ring").exists()
    assert "light" not in started.board().call("state")


def test_pictures_and_recordings(siren: Instance, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with SignalReader(siren.data_dir) as signal:
        signal.wait_frame(is_triangle)
    folder = ["--data-dir", str(siren.data_dir)]
    assert main(["sim", "picture", str(tmp_path / "light.png"), "--seconds", "2", "--width", "100", *folder]) == 0
    assert (tmp_path / "light.png").read_bytes().startswith(b"\x89PNG")
    assert main(["sim", "sound", str(tmp_path / "siren.wav"), "--seconds", "1", *folder]) == 0
    with wave.open(str(tmp_path / "siren.wav")) as file:
        assert (file.getnframes(), file.getframerate(), set(file.readframes(48_000))) == (48_000, 48_000, {0})
    assert main(["sim", "fault", "light2", "broken", *folder]) == 0
    capsys.readouterr()


# --- started from within: the device without its interfaces


@pytest.fixture
def inside(tmp_path: Path) -> Iterator[tuple[Device, Tap]]:
    tap = Tap(tmp_path / "tap")
    made = Device("d4100-ve-mk2", tmp_path / "data", tap=str(tap.path))
    made.start()
    yield made, tap
    made.stop()
    tap.close()


def test_a_start_is_seen_and_heard_within_a_deadline(inside: tuple[Device, Tap]) -> None:
    made, tap = inside
    assert made.strobe is not None
    service = made.strobe.service
    tap.expect("light", True, PATIENCE)
    made.ledger.post(lambda tx: service.set_maintenance(tx, False))
    tap.expect("light", False, PATIENCE)
    asked: list[int] = []

    def start(tx: object) -> None:
        asked.append(made.clock.mono_ns())
        light = Light(pattern="Steady", colors=("red",), intensity=5)
        service.start(tx, light=light, siren=Siren(pattern="Siren: Alternate", intensity=5))  # type: ignore[arg-type]

    with SignalReader(made.data_dir) as signal:
        made.ledger.post(start)
        edges = {edge.io: edge for edge in (tap.next(PATIENCE), tap.next(PATIENCE)) if edge is not None}
        assert {"light", "siren"} == {io for io, edge in edges.items() if edge.active}
        frame = signal.wait_frame(lambda f: f.lit and f.t_ns >= asked[0])
        assert frame.rgb == bytes((255, 0, 0)) * 144
        block = signal.wait_block(lambda b: any(b.samples))
        assert frame.done_ns - asked[0] < DEADLINE_NS
        assert block.done_ns - asked[0] < DEADLINE_NS
        wait_for("loudness", lambda: made.strobe.outputs.sound_heard() > 0.5, PATIENCE)  # type: ignore[union-attr]
        made.ledger.post(lambda tx: (service.stop_all(tx, "light"), service.stop_all(tx, "siren")))
        assert {tap.next(PATIENCE).io, tap.next(PATIENCE).io} == {"light", "siren"}  # type: ignore[union-attr]
        assert not signal.frames()[-1].lit


def test_a_health_check_finds_what_is_broken(inside: tuple[Device, Tap]) -> None:
    made, _ = inside
    assert made.strobe is not None
    assert made.strobe.outputs is not None
    made.strobe.outputs.fault("light5", True)
    made.strobe.outputs.fault("siren", True)
    health = made.strobe.service.health
    made.ledger.post(health.run)
    result = wait_for("the result", lambda: health.result, 120)  # wall clock: the check looks for real light
    assert [fault.message for fault in result.errors] == ["light section 5 is dark", "the test tone was not heard"]
    for part in ("light5", "siren"):
        made.strobe.outputs.fault(part, False)
    made.ledger.post(health.run)
    assert wait_for("the second result", lambda: health.result is not result and health.result, 120).errors == ()
