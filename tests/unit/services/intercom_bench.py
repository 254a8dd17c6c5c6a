"""The intercom without processes and sockets: a ledger in memory, virtual time, what was sent as lists."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from axcore.devices.models import DOOR_STATION
from axcore.model.events import Event
from axcore.model.intercom import ContactSpec
from axcore.model.nat import Traversal
from axcore.model.voice import AgreedMedia, Command, Connected, Ended, Incoming, Invite, MediaAgreed, Ready
from axcore.services.clips import ClipFiles, ClipService
from axcore.services.indicators import IndicatorService
from axcore.services.intercom import IntercomService
from axcore.services.schedules import ScheduleService
from axcore.testing.clock import VirtualClock
from axcore.testing.memory import MemoryLedger

READY = Ready(version="2.15.1", max_calls=4, max_accounts=8, tls="", codecs=("PCMU",), port=5060)


class FakeLines:
    """Voice processes that only note what they are told."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, Command]] = []
        self.applied: list[bool] = []
        self.dead: set[int] = set()
        self.missing = ""

    def send(self, line: int, command: Command) -> bool:
        if line in self.dead:
            return False
        self.sent.append((line, command))
        return True

    def apply(self, on: bool) -> None:
        self.applied.append(on)

    def unavailable(self) -> str:
        return self.missing


class FakeMedia:
    """Sound that only notes what it is told."""

    def __init__(self) -> None:
        self.legs: dict[str, int] = {}
        self.talking: dict[str, AgreedMedia] = {}
        self.taken: set[int] = set()
        self.on_key: Any = None

    def listen(self, on_key: Any) -> None:
        self.on_key = on_key

    def open(self, leg: str, port: int) -> None:
        if port in self.taken or port in self.legs.values():
            raise OSError(98, "Address already in use")
        self.legs[leg] = port

    def start(self, leg: str, media: AgreedMedia) -> None:
        self.talking[leg] = media

    def stop(self, leg: str) -> None:
        self.legs.pop(leg, None)
        self.talking.pop(leg, None)

    def press(self, leg: str, digits: str) -> None:
        raise AssertionError("nobody asks for that yet")


class FakePaths:
    """A ``PathFinder`` that finds what the test says, when it says so; paths lead over 127.0.0.1:7000."""

    def __init__(self) -> None:
        self.asked: dict[str, tuple[int, Traversal, Any]] = {}
        """By leg: port, how, and whom to tell."""
        self.on_told: Any = None

    def listen(self, on_told: Any) -> None:
        self.on_told = on_told

    def gather(self, leg: str, port: int, how: Traversal, done: Any) -> None:
        self.asked[leg] = port, how, done

    def start(self, leg: str, media: AgreedMedia) -> AgreedMedia:
        if leg not in self.asked:
            return media
        return msgspec.structs.replace(media, remote_address="127.0.0.1", remote_port=7000)

    def stop(self, leg: str) -> None:
        self.asked.pop(leg, None)


class FakePlayer:
    """A loudspeaker that only notes what it is to play."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, float, int]] = []
        """Name of what is played (that of the tone or clip), gain, rounds; name empty: silence."""

    def ring(self, load: Any, gain: float, times: int) -> None:
        name = load.args[0] if isinstance(load, partial) else f"clip of {len(load())}"
        self.asked.append((name, round(gain, 3), times))

    def hush(self) -> None:
        self.asked.append(("", 0.0, 0))


class IntercomBench:
    """An intercom whose SIP is on."""

    def __init__(self, folder: Path | None = None, *, on: bool = True, media: bool = True) -> None:
        self.ledger = MemoryLedger(VirtualClock())
        self.schedules = ScheduleService(self.ledger.virtual_clock, self.ledger.bus)
        self.indicators = IndicatorService(DOOR_STATION)
        leds = [led.name for led in DOOR_STATION.leds]
        self.clips = ClipService(ClipFiles(folder or Path("/nonexistent")), self.ledger.post)
        self.intercom = IntercomService(self.schedules, self.indicators, self.ledger.post, leds=leds, clips=self.clips)
        self.clips.users.add(self.intercom.sounds.users)
        self.lines, self.media, self.player, self.paths = FakeLines(), FakeMedia(), FakePlayer(), FakePaths()
        self.intercom.attach(self.lines, self.media if media else None, self.player, self.paths)
        if folder is not None:
            self.ledger.load(self.clips.load, self.clips.start_up)
        self.ledger.load(self.schedules.load, self.intercom.load, self.schedules.announce, self.intercom.announce)
        self.ledger.add_timer(self.intercom)
        if on:
            self.do(lambda tx: self.intercom.accounts.set_settings(tx, {"enabled": True, "allow_incoming": True}))
            for line in range(2):
                self.report(line, READY)

    def do(self, job: Any) -> Any:
        return self.ledger.do(job)

    def report(self, line: int, report: Any) -> None:
        self.do(lambda tx: self.intercom.on_report(tx, line, report))

    def lost(self, line: int, reason: str = "ended by signal 9") -> None:
        self.do(lambda tx: self.intercom.on_lost(tx, line, reason))

    def call(self, to: str = "sip:ada@10.0.0.2") -> str:
        return str(self.do(lambda tx: self.intercom.call(tx, to)).id)

    def invites(self) -> list[tuple[int, Invite]]:
        """Legs that were dialled."""
        return [(line, command) for line, command in self.lines.sent if isinstance(command, Invite)]

    def answer(self, leg: str, line: int) -> None:
        """The far side answers; its media is as offered."""
        port = next(command.media.port for _, command in self.invites() if command.leg == leg)
        media = AgreedMedia(
            local_port=port, remote_address="10.0.0.2", remote_port=4000, codec="PCMU", clock_rate=8000, send_type=0,
            receive_type=0, event_send_type=101, event_receive_type=101,
        )  # fmt: skip
        self.report(line, MediaAgreed(leg=leg, media=media))
        self.report(line, Connected(leg=leg, remote="sip:ada@10.0.0.2"))

    def incoming(
        self,
        caller: str = "sip:ada@10.0.0.2",
        account: str = "peer-to-peer",
        local: str = "<sip:d@10.0.0.9>",
        source: str = "10.0.0.2:5060",
    ) -> None:
        report = Incoming(
            leg="in1",
            account=account,
            remote=f"<{caller}>",
            local=local,
            source=source,
            port=4024,
        )
        self.report(0, report)

    def end(self, leg: str, line: int, code: int = 200) -> None:
        self.report(line, Ended(leg=leg, code=code, reason=""))

    def told(self, topic: str) -> list[Event]:
        return [event for event in self.ledger.events if event.topic == topic]

    def states(self) -> list[str]:
        from axcore.model.events import CALL_STATE

        return [event.data["CallState"] for event in self.told(CALL_STATE)]


def add(bench: IntercomBench, name: str = "Ada", **more: Any) -> str:
    """A new contact; its id."""
    spec = ContactSpec(first_name=name, **{"sip_address": f"sip:{name.lower()}@10.0.0.2", **more})
    return str(bench.do(lambda tx: bench.intercom.contacts.add_contact(tx, spec)).id)
