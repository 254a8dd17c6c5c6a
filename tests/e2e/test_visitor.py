"""A visitor of a simulated door station, by the command line: he says something, and hears who called."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import wave
from array import array
from collections.abc import Iterator
from math import cos, pi, sin
from pathlib import Path

import pytest

from axcore.audio import G711
from axcore.interfaces.cli.instance import Instance, wait_for
from axcore.model.voice import Ended
from axcore.testing.phone import Phone
from axcore.testing.ports import free_port
from tests.e2e.patience import PATIENCE

pytest.importorskip("pjsua2", reason="no wheel of pjsua2-python for this Python (extra axcore[voice])")
pytest.importorskip("soundfile", reason="the command line reads sound files by it (extra axcore[audio])")

SIP = "/config/rest/sip/v1"
RATE, FRAME_S = 8000, 0.02
SPOKEN_HZ, CALLER_HZ = 1000, 600


def share(samples: array[int], hz: int, rate: int) -> float:
    """How much of what sounds is a tone: 0 .. 1; 0 for what is too quiet to tell."""
    power = sum(sample * sample for sample in samples) / max(1, len(samples))
    if power < 200**2:
        return 0.0
    parts = (
        sum(sample * turn(2 * pi * hz * n / rate) for n, sample in enumerate(samples)) / len(samples)
        for turn in (sin, cos)
    )
    return 2 * sum(part * part for part in parts) / power


def syllables(hz: int, seconds: float) -> array[int]:
    """A tone that comes and goes as speech does: what is always there is noise to a noise suppressor."""
    return array(
        "h", (round(8000 * sin(2 * pi * hz * n / RATE)) * (n // 1600 % 2) for n in range(round(seconds * RATE)))
    )


def write(path: Path, samples: array[int]) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())
    return path


@pytest.fixture
def device() -> Iterator[Instance]:
    with Instance() as running:
        running.start()
        running.create_admin()
        yield running


def sim(device: Instance, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "axcore", "sim", *words, "--data-dir", str(device.data_dir), "--json"]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)


def test_a_visitor_is_heard_and_hears(device: Instance, tmp_path: Path) -> None:
    client, port = device.client(), free_port()
    settings = {"enabled": True, "allow_incoming": True, "port": port, "rtp_start_port": free_port(48)}
    client.rest("PATCH", f"{SIP}/settings", settings)
    client.rest("PATCH", f"{SIP}/accounts/peer-to-peer", {"auto_answer": True})
    wait_for("the voice processes", lambda: all(client.rest("GET", f"{SIP}/status")["processes"]), PATIENCE, 0.1)
    spoken = write(tmp_path / "spoken.wav", syllables(SPOKEN_HZ, 3))
    refused = sim(device, "audio", str(spoken))
    assert refused.returncode != 0
    assert "there is no call" in refused.stderr
    with Phone("ada") as phone:
        phone.call(f"sip:door@127.0.0.1:{port}")
        phone.connected(PATIENCE)
        said = sim(device, "audio", str(spoken))
        assert said.returncode == 0, said.stderr
        assert json.loads(said.stdout)["seconds"] == 3.0
        codec, deadline = G711("mu"), time.monotonic() + PATIENCE
        while share(codec.decode(phone.heard()[12:]), SPOKEN_HZ, RATE) < 0.8:
            assert time.monotonic() < deadline, "the visitor was not heard"
        hears(device, phone, tmp_path / "heard.wav")
        phone.hang_up()
        phone.wait(Ended, PATIENCE)


def hears(device: Instance, phone: Phone, file: Path) -> None:
    """What the phone says comes out of the loudspeaker, and is in the recording of it."""
    words, quiet = G711("mu").encode(syllables(CALLER_HZ, 2)), threading.Event()
    payloads = [words[at : at + 160] for at in range(0, len(words), 160)]

    def talk() -> None:
        for number in range(10**6):
            phone.say(payloads[number % len(payloads)])
            if quiet.wait(FRAME_S):
                return

    talking = threading.Thread(target=talk)
    talking.start()
    try:
        deadline, loudest = time.monotonic() + PATIENCE, 0.0
        while loudest < 0.8:
            assert time.monotonic() < deadline, f"the caller was not heard: {loudest:.2f}"
            recorded = sim(device, "sound", str(file), "--seconds", "2")
            assert recorded.returncode == 0, recorded.stderr
            with wave.open(str(file)) as heard:
                rate = heard.getframerate()
                samples = array("h", heard.readframes(heard.getnframes()))
            frame = rate // 50
            loudest = max(share(samples[at : at + frame], CALLER_HZ, rate) for at in range(0, len(samples), frame))
    finally:
        quiet.set()
        talking.join()
