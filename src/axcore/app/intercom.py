"""The intercom of a device: its service, its voice processes, and its part in start and stop. Composition only.

Imported for models that make calls. Processes run only while SIP is on.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, Final

from axcore.devices import DeviceModel
from axcore.drivers.audio_streams import AudioStreams
from axcore.drivers.call_media import CallMedia, open_sound
from axcore.drivers.capture import SOUND_RING
from axcore.drivers.desk import Desk
from axcore.drivers.nat import NatPaths
from axcore.drivers.voice import VoiceLines
from axcore.errors import QueueFullError, StateError
from axcore.model import events
from axcore.model.audio import AudioSettings
from axcore.model.config import SoundConfig
from axcore.model.events import Event
from axcore.model.rules import Rule
from axcore.model.voice import Configure, Report
from axcore.runtime.bus import Bus
from axcore.runtime.ledger import Job, Ledger, Transaction
from axcore.services.audio import AudioService
from axcore.services.clips import ClipService
from axcore.services.events.conditions import ConditionType
from axcore.services.indicators import IndicatorService
from axcore.services.intercom import (
    CallPerformer,
    IntercomService,
    MediaPort,
    conditions,
    rules_calling,
    rules_calling_from,
    rules_waiting,
)
from axcore.services.intercom.lines import COUNT
from axcore.services.schedules import ScheduleService

from .deliveries import own_address

log = logging.getLogger(__name__)

WILDCARDS = ("", "0.0.0.0", "::")
ROOM_S: Final = 0.02
"""After which a full ledger is tried again."""


class Intercom:
    """The intercom's part of a device. ``bind``: address that SIP listens on."""

    def __init__(
        self,
        model: DeviceModel,
        ledger: Ledger,
        schedules: ScheduleService,
        indicators: IndicatorService,
        *,
        bind: str,
        clips: ClipService | None = None,
    ) -> None:
        self._ledger, self._model = ledger, model
        self._bind = "" if bind in WILDCARDS else bind
        self._stopping = threading.Event()
        leds = [led.name for led in model.leds]
        answers = all(line.role != "callbutton" for line in model.inputs)
        self.service = IntercomService(schedules, indicators, self._post, leds=leds, answers=answers, clips=clips)
        self.lines = VoiceLines(COUNT, self._configure, self._on_report, self._on_lost)
        self.paths = NatPaths(self._bind)
        self.media: CallMedia | None = None
        """Its own sound of calls; None: of others."""
        self.performer = CallPerformer(self.service)
        self.audio: AudioService | None = None
        """Settings of microphone and loudspeaker, and ..."""
        self.streams: AudioStreams | None = None
        """... sound over the network without a call; None where the sound of calls is of others."""
        self.loaders: tuple[Job[None], ...] = (self.service.load, self._load_audio)
        self.timers: tuple[Any, ...] = (self.service, self.service.servers)

    def conditions(self) -> Iterable[ConditionType]:
        """For rules."""
        return conditions(self.service)

    def add_rules(self, rules: Callable[[], Iterable[Rule]]) -> None:
        """Have the rules asked before something that they call, call from or wait for is removed."""
        self.service.contacts.users.add(lambda key: rules_calling(rules(), key))
        self.service.accounts.users.add(lambda account: rules_calling_from(rules(), account))
        self.service.accounts.dtmf.users.add(lambda event: rules_waiting(rules(), event))

    def own_media(self, sound: SoundConfig, *, simulated: bool, two_way: bool, folder: Path) -> MediaPort:
        """The device's loudspeaker and microphone, or a virtual room; closed by ``stop``.

        ``two_way``: clients may hear and use them without a call. ``folder``: where a virtual room is recorded.
        """
        audio = AudioService(
            ("internal", *(("line",) if sound.line_in else ())), ("internal", *(("line",) if sound.line_out else ()))
        )
        self.media = CallMedia(
            partial(open_sound, sound, simulated=simulated, settings=lambda: audio.settings),
            self._bind,
            ring=folder / SOUND_RING if simulated and not sound.device else None,
        )
        if two_way:
            self.audio, self.streams = audio, AudioStreams(self.media)
            audio.attach(partial(_apply, self.media.desk))
        return self.media

    def attach(self, bus: Bus, media: MediaPort) -> None:
        """Connect the sound, and the keypad."""
        self.service.attach(self.lines, media, None if self.media is None else self.media.desk, self.paths)
        bus.in_transaction(events.SPEED_DIAL, self._on_speed_dial)

    def stop(self) -> None:
        """Hang up and end the processes."""
        self._stopping.set()
        self.lines.stop()
        self.paths.close()
        if self.media is not None:
            self.media.close()

    def _load_audio(self, tx: Transaction) -> None:
        if self.audio is not None:
            self.audio.load(tx)

    def _on_speed_dial(self, tx: Transaction, event: Event) -> None:
        self.service.panel.on_speed_dial(tx, event.data.get("number", ""), event.t_ns, event.correlation)

    def _configure(self, line: int) -> Configure:
        return self.service.accounts.configure(
            line, bind=self._bind, own_address=self._bind or own_address() or "127.0.0.1", name=self._model.id
        )

    def _on_report(self, line: int, report: Report) -> None:
        self._deliver(lambda tx: self.service.on_report(tx, line, report))

    def _on_lost(self, line: int, reason: str) -> None:
        self._deliver(lambda tx: self.service.on_lost(tx, line, reason))

    def _deliver(self, job: Job[None]) -> None:
        """For the threads of the voice processes: what they say is not lost. They wait until the ledger has room, and
        the buffer of its socket holds a process back meanwhile; only while the device stops nobody waits."""
        while True:
            try:
                self._ledger.post(job)
            except StateError:
                return
            except QueueFullError:
                if self._stopping.wait(ROOM_S):
                    return
            else:
                return

    def _post(self, job: Job[None]) -> None:
        """For threads that have more to do: one that the full ledger does not take is lost, which is logged."""
        try:
            self._ledger.post(job)
        except StateError:  # the device stops
            return
        except QueueFullError as error:
            log.warning("a job of the intercom is lost: %s", error)


def _apply(desk: Desk, settings: AudioSettings) -> None:
    """Gains and mutes as they are set."""
    to, of = settings.output, settings.input
    desk.set_levels(
        speaker=0.0 if to.mute else 10 ** (to.gain / 20),
        microphone=10 ** (of.gain / 20),
        mute=of.mute or not of.enabled,
    )
