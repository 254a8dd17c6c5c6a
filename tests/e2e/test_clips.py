"""Audio clips on a started device: a rule plays one and the microphone hears it; uploads are whole or not there."""

from __future__ import annotations

import contextlib
import io
import json
import threading
import wave
from array import array
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from axcore.interfaces.cli import client as net
from axcore.interfaces.cli.client import Client, HttpError
from axcore.interfaces.cli.instance import Instance, wait_for
from axcore.interfaces.cli.main import main
from axcore.model import events
from tests.e2e.patience import PATIENCE

CLIPS = "/config/rest/audio/v1/clips"
INPUT_1 = {"topic": events.IO_PORT, "source": {"port": "0"}}
CHORD = (523.25, 659.25, 783.99)
"""Hertz."""
RATE = 48_000
KILLS = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3)
"""Seconds after which the device is killed: from the first byte of an upload until it is over."""


def chord(seconds: float = 1.0, container: str = "OGG", subtype: str | None = "VORBIS") -> bytes:
    """A file with three notes."""
    t = np.arange(round(44_100 * seconds)) / 44_100
    out = io.BytesIO()
    notes = sum(0.2 * np.sin(2 * np.pi * hertz * t) for hertz in CHORD)
    soundfile.write(out, np.stack([notes, notes], axis=1), 44_100, format=container, subtype=subtype)
    return out.getvalue()


def upload(client: Client, name: str, data: bytes) -> tuple[int, bytes]:
    head = b'--B\r\nContent-Disposition: form-data; name="f"; filename="../../state.db"\r\n\r\n'
    body = head + data + b"\r\n--B--\r\n"
    path = f"/axis-cgi/mediaclip.cgi?action=upload&media=audio&name={name}"
    return client.request("POST", path, body, "multipart/form-data; boundary=B")


def notes(samples: array[int]) -> list[float]:
    """The three strongest frequencies, to a hertz or two."""
    sound = np.array(samples, dtype=float)
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    found = []
    for _ in CHORD:
        at = int(spectrum.argmax())
        found.append(at * RATE / len(sound))
        spectrum[max(0, at - 20) : at + 20] = 0
    return sorted(found)


def stored(device: Instance) -> list[str]:
    folder = device.data_dir / "clips"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


@pytest.fixture(params=["a8207-ve", "d4100-ve-mk2"])
def ready(request: pytest.FixtureRequest) -> Iterator[Instance]:
    """A door station, and a siren that is not in maintenance mode."""
    with Instance(model=request.param) as device:
        device.start()
        device.create_admin()
        if request.param == "d4100-ve-mk2":
            device.client().rest("PUT", "/config/rest/siren/v1/maintenance", {"on": False})
        yield device


def test_a_rule_plays_a_clip_and_the_microphone_hears_it(ready: Instance, tmp_path: Path) -> None:
    client, board = ready.client(), ready.board()
    io_name = "siren" if ready._model == "d4100-ve-mk2" else "speaker"
    assert upload(client, "Chord", chord()) == (200, b"OK\nuploaded=5\n")
    action = {"type": "play_clip_while_active", "clip": "Chord"}
    rule = {"name": "Play", "conditions": [INPUT_1], "action": action}
    kept = client.rest("POST", net.RULES, rule)
    assert kept["action"]["clip"] == "/etc/audioclips/MediaClip.M5.au"
    log = net.EventLog(client)
    board.call("input", port=1, active=True, correlation="pressed")
    ready.tap.expect(io_name, True, PATIENCE)
    log.wait("tnsaxis:MediaClip/CurrentlyPlaying", "pressed", PATIENCE)
    wait_for("two rounds", lambda: heard_blocks(ready) > 450, PATIENCE)
    wait_for("loudness", lambda: board.call("state")["speaker"]["rms"] > 0.1, PATIENCE)
    board.call("input", port=1, active=False)
    ready.tap.expect(io_name, False, PATIENCE)
    assert main(["sim", "sound", str(tmp_path / "heard.wav"), "--seconds", "30", "--data-dir",
                     str(ready.data_dir)]) == 0  # fmt: skip
    with wave.open(str(tmp_path / "heard.wav")) as file:
        samples = array("h", file.readframes(file.getnframes()))
    sounding = array("h", [sample for sample in samples if sample])
    assert notes(sounding[RATE // 10 : RATE // 10 + RATE // 2]) == pytest.approx(CHORD, abs=4)
    assert 0.15 < np.sqrt(np.mean((np.array(sounding) / 32767.0) ** 2)) < 0.35


def heard_blocks(device: Instance) -> int:
    from axcore.drivers.capture import SOUND_RING, Capture

    with Capture(device.data_dir / SOUND_RING) as capture:
        return capture.written


def test_a_clip_mixes_with_a_sounding_profile() -> None:
    with Instance(model="d4100-ve-mk2") as device:
        device.start()
        device.create_admin()
        client = device.client()
        with pytest.raises(HttpError, match="maintenance"):
            client.text("GET", "/axis-cgi/playclip.cgi?clip=4")
        client.rest("PUT", "/config/rest/siren/v1/maintenance", {"on": False})
        siren = {"pattern": "Siren: Alternate", "intensity": 1, "priority": 1}
        client.ajr("siren_and_light", "start", {"siren": siren})
        board = device.board()
        wait_for("the siren", lambda: 0.01 < board.call("state")["speaker"]["rms"] < 0.1, PATIENCE, step=0.05)
        client.text("GET", "/axis-cgi/playclip.cgi?clip=1&repeat=-1&volume=300")
        wait_for("both", lambda: board.call("state")["speaker"]["rms"] > 0.3, PATIENCE, step=0.05)
        client.text("GET", "/axis-cgi/stopclip.cgi")
        wait_for("the siren", lambda: 0.01 < board.call("state")["speaker"]["rms"] < 0.1, PATIENCE, step=0.05)
        client.text("GET", "/axis-cgi/playclip.cgi?clip=1&repeat=-1&volume=300")
        client.rest("PUT", "/config/rest/siren/v1/maintenance", {"on": True})
        wait_for("silence", lambda: board.call("state")["speaker"]["rms"] == 0.0, PATIENCE, step=0.05)


def test_what_is_no_clip_is_refused_and_leaves_nothing(started: Instance) -> None:
    client = started.client()
    before = client.rest("GET", CLIPS)
    for name, data, reason in (
        ("Rubbish", b"rubbish" * 10_000, b"file: is no audio file"),
        ("Long", chord(121.0, "MP3", None), b"file: is longer than 120 s"),
        ("Flac", chord(1.0, "FLAC", "PCM_16"), b"file: is of the kind FLAC"),
        ("Half", chord(3.0, "WAV", "PCM_16")[:30], b"file: is no audio file"),
        ("Nothing", b"", b"file: is empty"),
        ("Beep", chord(), b"name: there is a clip 'Beep' already"),
    ):
        status, body = upload(client, name, data)
        assert (status, body.startswith(b"400 Bad Request\n" + reason)) == (400, True), body
    assert upload(client, "Large", bytes(10_100_000))[0] == 413
    assert client.rest("GET", CLIPS) == before
    assert stored(started) == []
    assert started.board().call("state")["outputs"]["relay1"] is False


def test_a_kill_during_an_upload_leaves_nothing_half_stored(started: Instance) -> None:
    data, records = chord(20.0), 0
    for number, after in enumerate(KILLS):
        client = started.client()

        def send(client: Client = client, number: int = number) -> None:
            with contextlib.suppress(Exception):
                upload(client, f"Kill{number}", data)

        thread = threading.Thread(target=send)
        thread.start()
        thread.join(after)
        started.kill()
        thread.join(PATIENCE)
        started.start()
        clips = started.client().rest("GET", CLIPS)
        uploaded = [clip for clip in clips if clip["format"] != "tone"]
        assert len(stored(started)) == len(uploaded)
        for clip in uploaded:
            status, body = started.client().request("GET", f"{CLIPS}/{clip['id']}/file")
            samples, rate = soundfile.read(io.BytesIO(body))
            assert (status, len(samples) / rate) == (200, pytest.approx(20.0, abs=0.01))
        records = len(uploaded)
    assert records < len(KILLS)  # some of them were cut off
    assert upload(started.client(), "After", data)[0] == 200
    assert len(stored(started)) == records + 1


def test_a_factory_default_forgets_the_clips(started: Instance) -> None:
    client = started.client()
    assert upload(client, "Chord", chord())[0] == 200
    call = {"apiVersion": "1.0", "method": "factoryDefault", "params": {"factoryDefaultMode": "hard"}}
    with contextlib.suppress(Exception):
        client.request("GET", "/axis-cgi/hardfactorydefault.cgi", json.dumps(call).encode(), "application/json")
    started.wait_state("STOPPING=1", PATIENCE)
    started.wait_state("READY=1", PATIENCE)
    started.create_admin()
    assert [clip["format"] for clip in started.client().rest("GET", CLIPS)] == ["tone"] * 5
    assert stored(started) == []
