"""``make demo-call``: the call button, a telephone that answers, a key that opens the door for seven seconds.

Starts ``axcore run a8207-ve-mk2 --simulate``, sets a contact, the call button and the manual's rule *Use DTMF to unlock
the door for a visitor* up over REST, and presses the button. The telephone is a SIP process of its own: it answers,
talks, and presses 1. What it said comes out of the station's loudspeaker into a virtual room with an echo; what it
hears of itself is what the echo canceller leaves. Both are written as WAV files and drawn. Exit code 0 only if all of
it happened.

    python -m axcore.testing.demo_call [--out FOLDER] [--json]
"""

from __future__ import annotations

import argparse
import math
import random
import sys
import threading
import time
from array import array
from pathlib import Path
from typing import Any

from axcore.audio import G711
from axcore.interfaces.cli import client as net
from axcore.interfaces.cli.board import Board
from axcore.interfaces.cli.demo import Timeline, need
from axcore.interfaces.cli.instance import Instance, wait_for
from axcore.model.events import CALL_DTMF
from axcore.model.voice import Incoming
from axcore.testing.phone import Phone

SIP, CONTACTS = "/config/rest/sip/v1", "/config/rest/contact-list/v1"
DOOR, HOLD_S = "relay1", 7.0
TALKS_S, RATE, FRAME = 6.0, 8000, 160
PATIENCE_S = 60.0
LATE_S = 3.0
"""Somebody else may have the processor when the door closes; benches measure how exactly it does."""
LOUD, LEFT_DB, ENOUGH = 1000.0, 15.0, 0.5
"""RMS of who talks; by how much less of it must come back; the part of the time that must be heard: a sound card that
a busy machine keeps waiting loses some."""


def voice(seconds: float, seed: int = 1) -> array[int]:
    """Something like speech: uneven syllables, each with a gliding pitch and its own partials, hiss between."""
    dice, out, phase = random.Random(seed), array("h"), 0.0
    while len(out) < seconds * RATE:
        length, pause = int(dice.uniform(0.08, 0.3) * RATE), int(dice.choice((0.02, 0.05, 0.2)) * RATE)
        begin, end = dice.uniform(90, 190), dice.uniform(90, 190)
        partials = [dice.uniform(0.05, 1.0) / k for k in range(1, 16)]
        for n in range(length):
            phase += 2 * math.pi * (begin + (end - begin) * n / length) / RATE
            tone = sum(part * math.sin(k * phase) for k, part in enumerate(partials, 1))
            out.append(int(7000 * math.sin(math.pi * n / length) * tone))
        hiss = dice.uniform(0, 900)
        out.extend(int(dice.gauss(0, hiss)) for _ in range(pause))
    return out[: int(seconds * RATE) // FRAME * FRAME]


def rms(samples: array[int]) -> float:
    """Root mean square."""
    return math.sqrt(sum(s * s for s in samples) / max(1, len(samples)))


class Play:
    """The demonstration, step by step."""

    def __init__(self, device: Instance, phone: Phone, timeline: Timeline, folder: Path) -> None:
        self.device, self.phone, self.timeline, self.folder = device, phone, timeline, folder
        self.said, self.heard = voice(TALKS_S), array("h")
        self.client: net.Client
        self.events: net.EventLog
        self.board: Board

    def start(self) -> None:
        running = self.device.start()
        self.device.create_admin()
        self.client, self.board = self.device.client(), self.device.board(PATIENCE_S)
        self.events = net.EventLog(self.client)
        self.timeline.add("door station ready", running.https, self.device.ready_s * 1e3)

    def sip(self) -> None:
        self.client.rest("PATCH", f"{SIP}/settings", {"enabled": True, "port": 0, "tls_port": 0, "codecs": ["PCMU"]})
        began = time.monotonic()
        status = wait_for("the voice processes", self._processes, PATIENCE_S)
        self.timeline.add("SIP is on", f"{len(status)} voice processes", (time.monotonic() - began) * 1e3)

    def settings(self) -> None:
        spec = {"first_name": self.phone.name, "sip_address": self.phone.uri}
        contact = self.client.rest("POST", f"{CONTACTS}/contacts", spec)["id"]
        self.client.rest("PATCH", f"{CONTACTS}/button", {"recipients": [contact]})
        sequence = self.client.rest("POST", f"{SIP}/dtmf", {"sequence": "1", "description": "Unlock door"})
        condition = {"topic": CALL_DTMF, "data": {"DTMFEventId": sequence["id"]}}
        action = {"type": "toggle_io_once", "port": "Door", "state": True, "duration": HOLD_S}
        self.client.rest("POST", net.RULES, {"name": "DTMF unlock door", "conditions": [condition], "action": action})
        self.timeline.add("contact, button, rule", f"the button calls {self.phone.uri}; key 1 opens the door")

    def button(self) -> None:
        began = time.monotonic()
        self.board.call("button")
        caller = self.phone.wait(Incoming, PATIENCE_S).remote
        self.timeline.add("button -> telephone rings", caller, (time.monotonic() - began) * 1e3)
        began = time.monotonic()
        self.phone.answer()
        need(self.phone.heard(PATIENCE_S), "the telephone hears nothing")
        self.timeline.add("answered -> first sound", "PCMU", (time.monotonic() - began) * 1e3)

    def talk(self) -> None:
        listener = threading.Thread(target=self._listen, daemon=True)
        listener.start()
        codec, began = G711("mu"), time.monotonic()
        for number in range(len(self.said) // FRAME):
            self.phone.say(bytes(codec.encode(self.said[number * FRAME : (number + 1) * FRAME])))
            time.sleep(max(0.0, began + (number + 1) * FRAME / RATE - time.monotonic()))  # the pace of speech
        listener.join(PATIENCE_S)
        half = len(self.heard) // 2
        louder = 20 * math.log10(rms(self.said[half:]) / max(1.0, rms(self.heard[half:])))
        need(rms(self.said) > LOUD, "the telephone did not talk")
        need(len(self.heard) > len(self.said) * ENOUGH, f"only {len(self.heard) / RATE:.1f} s came from the station")
        need(louder > LEFT_DB, f"the telephone hears itself, {louder:.1f} dB below what it said")
        self.timeline.add("the telephone talks", f"{louder:.0f} dB less of it comes back")

    def key(self) -> None:
        began = time.monotonic()
        self.phone.press("1")
        opened = self.device.tap.expect(DOOR, True, PATIENCE_S)
        self.timeline.add("key 1 -> the door opens", DOOR, (time.monotonic() - began) * 1e3)
        self.phone.hang_up()
        closed = self.device.tap.expect(DOOR, False, HOLD_S + PATIENCE_S)
        held = (closed.t_ns - opened.t_ns) / 1e9  # by the device's clock
        need(-0.05 < held - HOLD_S < LATE_S, f"the door was open for {held:.2f} s")
        self.timeline.add("the door closes", f"open for {held:.2f} s, the call is over")

    def files(self) -> None:
        import numpy as np

        from axcore.interfaces.cli.audio_plot import OUT, REF, waveforms
        from axcore.interfaces.cli.wavfile import write_wav

        self.folder.mkdir(parents=True, exist_ok=True)
        said, heard = np.asarray(self.said, np.int16), np.asarray(self.heard, np.int16)
        write_wav(self.folder / "said.wav", RATE, said)
        write_wav(self.folder / "heard.wav", RATE, heard)
        path = self.folder / "call.svg"
        rows = (("the telephone said", said, REF), ("the telephone heard", heard, OUT))
        path.write_bytes(waveforms(rows, len(said) / RATE))
        self.timeline.add("written", f"{path}, said.wav, heard.wav")

    def stop(self) -> None:
        need(self.device.stop() == 0, f"the device did not end well\n{self.device.output()}")
        self.timeline.add("stopped cleanly", "exit 0")

    def _processes(self) -> list[Any] | None:
        found: list[Any] = self.client.rest("GET", f"{SIP}/status")["processes"]
        return found if found and all(found) else None

    def _listen(self) -> None:
        codec, until = G711("mu"), time.monotonic() + TALKS_S
        while time.monotonic() < until:
            packet = self.phone.heard(0.5)
            if len(packet) > 12 and packet[1] & 0x7F == 0:
                self.heard.extend(codec.decode(packet[12:]))


STEPS = (
    ("start the station", Play.start),
    ("turn SIP on", Play.sip),
    ("set it up", Play.settings),
    ("press the button", Play.button),
    ("talk", Play.talk),
    ("press a key", Play.key),
    ("write what was heard", Play.files),
    ("stop", Play.stop),
)


def main(argv: list[str] | None = None) -> int:
    """Play it; 0 only if everything happened."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("demo-call"), help="folder of the recordings and the picture")
    parser.add_argument("--json", action="store_true", help="print the timeline as JSON")
    args = parser.parse_args(argv)
    with Timeline(args.json) as timeline, Instance() as device, Phone("ada") as phone:
        timeline.play(STEPS, Play(device, phone, timeline, args.out))
    return timeline.told


if __name__ == "__main__":
    sys.exit(main())
