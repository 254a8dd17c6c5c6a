"""One device without its interfaces: drivers, runtime and the services that must work whatever the network does.

Order of start: store, services load, I/O thread (outputs are in their normal state), initial states and rules, ledger
thread: from here cards and REX open doors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from axcore.devices import DeviceModel, model
from axcore.drivers.board import Board, LineSettings, ReaderFault, Sinks, reader_config
from axcore.errors import StoreError
from axcore.model import events
from axcore.model.config import Config
from axcore.model.events import Event, NewEvent
from axcore.rules import mqtt_effects
from axcore.runtime.bus import Bus
from axcore.runtime.clock import SystemClock
from axcore.runtime.ledger import Job, Ledger, Transaction
from axcore.runtime.outbox import Outbox
from axcore.services.access import AccessService
from axcore.services.certificates import CertificateStore
from axcore.services.clips import ClipFiles, ClipPerformer, ClipService, rules_playing
from axcore.services.events import (
    AbsentPerformer,
    ConfigurationService,
    EventService,
    Performer,
    PortPerformer,
    VirtualInputPerformer,
)
from axcore.services.events.service import ConditionSource
from axcore.services.indicators import DoorIcon, IndicatorPerformer, IndicatorService, StandbyLight
from axcore.services.mqtt import MqttPerformer, MqttService
from axcore.services.ports import PortService
from axcore.services.recipients import BOX, Delivery, NotificationPerformer, RecipientService
from axcore.services.schedules import ScheduleService, rules_using
from axcore.services.sensors import SensorService
from axcore.services.speaker_test import SpeakerTestPerformer, SpeakerTestService

if TYPE_CHECKING:
    from axcore.drivers.desk import Desk
    from axcore.drivers.speaker import Loudspeaker
    from axcore.services.intercom import MediaPort

    from .buses import Buses
    from .controller import Controller
    from .intercom import Intercom
    from .station import Station
    from .strobe import Strobe

EARLY_ROLES = ("port", "casing")
"""Inputs whose edges grant nothing by themselves: what their rules do waits for the write, not for the sync."""


class Device:
    """One device without its interfaces: what must work whatever happens to the network face."""

    def __init__(
        self,
        model_id: str,
        data_dir: Path,
        *,
        config: Config | None = None,
        simulate: bool = True,
        tap: str | None = None,
        media: MediaPort | None = None,
    ) -> None:
        """Opens the store and loads the services; nothing moves yet. Raises StoreError, NotFoundError (model).

        ``media``: the sound of calls, instead of the device's own (``drivers.call_media``).
        """
        self.model: DeviceModel = model(model_id)
        self.data_dir = data_dir
        self.config = config or Config()
        self.clock = SystemClock()
        self.bus = Bus()
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._board: Board | None = None
        self._simulate = simulate
        self.on_reset: Callable[[], None] = lambda: None
        """The control button asks for a factory default (ledger thread)."""
        self.ledger = Ledger(data_dir, self.clock, self.bus, wait=self._wait, wake=self._wake)
        self.ports = PortService(self.model, self.ledger.post)
        self.sensors = SensorService(self.model)
        self.indicators = IndicatorService(self.model)
        self.clips = ClipService(ClipFiles(data_dir), self.ledger.post) if self.model.speaker else None
        self.speaker: Loudspeaker | None = None
        self.strobe = self._make_strobe()
        self.controller = self._make_controller()
        self.recipients = RecipientService()
        self.outbox: Outbox[Delivery] = Outbox(BOX)
        self._notifications = NotificationPerformer(self.recipients, self.outbox)
        self.schedules = ScheduleService(self.clock, self.bus)
        self.intercom = self._make_intercom(media)
        self.certificates = CertificateStore()
        if self.intercom is not None:
            self.intercom.service.accounts.certificates = self.certificates
        self.mqtt = MqttService(self.certificates)
        self.events = EventService(
            self.model,
            self._performers(),
            self.bus,
            self.ledger.post,
            conditions=self._condition_sources(),
        )
        self.events.add_effects(mqtt_effects(self.mqtt.hears, lambda: self.mqtt.prefix))
        self.configurations = ConfigurationService(self.events)
        self.access = AccessService(self.schedules)
        self.station = self._make_station()
        self._add_users()
        self._load()
        self.board = self._board = self._make_board(simulate, tap)
        self._attach(self.board, tap)
        self._sinks = self._make_sinks()
        self._join_ledger(self.board)

    def _join_ledger(self, board: Board) -> None:
        """Let the ledger know of what the pins tell, and of what they are about to tell."""
        self.ledger.on_native = self._native
        self.ledger.way.coming = board.io.news
        self.ledger.expects = board.io.expects
        self.ledger.rehearsal = self._rehearse

    def _add_users(self) -> None:
        """Who is asked before something that he uses is removed."""
        self.schedules.users.add(lambda schedule: rules_using(self.events.rules(), schedule))
        self.schedules.users.add(self.access.holders_using)
        if self.clips is not None:
            self.clips.users.add(lambda clip: rules_playing(self.events.rules(), clip))
            if self.intercom is not None:
                self.clips.users.add(self.intercom.service.sounds.users)
        if self.intercom is not None:
            self.schedules.users.add(self.intercom.service.contacts.using)
            self.intercom.add_rules(self.events.rules)
            self.certificates.users.add(self.intercom.service.accounts.using)
        if self.station is not None:
            self.certificates.users.add(self.station.service.using)
        self.certificates.users.add(self.mqtt.using)

    def _load(self) -> None:
        """Read the state of every service, and tell the ledger what it has to keep going."""
        parts = [part for part in (self.strobe, self.station, self.controller, self.intercom) if part is not None]
        loaders: tuple[Job[None], ...] = (
            self.schedules.load,
            self.ports.load,
            self.access.load,
            self.certificates.load,
            self.mqtt.load,
            self.recipients.load,
            *(() if self.clips is None else (self.clips.load,)),
            *(loader for part in parts for loader in part.loaders),
            self.events.load,  # rules name ports and profiles
            self.configurations.load,
        )
        try:
            self.ledger.load(*loaders)
        except msgspec.ValidationError as error:
            raise StoreError(str(self.data_dir), f"was written by another release: {error}") from error
        renew = () if self.controller is None else (self.controller.doors.renew,)
        for loader in (*loaders, self.ports.renew, *renew):
            self.ledger.on_reload(loader)
        own: list[Any] = [] if self.clips is None else [self.clips]
        own += (timer for part in parts for timer in part.timers)
        # What comes first at one instant (D9).
        for timer in (self.schedules, self.events, self.ports, self.access, self.indicators, self._notifications, *own):
            self.ledger.add_timer(timer)

    def _attach(self, board: Board, tap: str | None) -> None:
        """Connect the services to what they move."""
        self.ports.attach(board)
        if self.strobe is not None:
            self.strobe.attach(board, self.config, simulated=self._simulate, tap=tap)
        if self.station is not None:
            self.station.attach(board, simulated=self._simulate, data_dir=self.data_dir)
        if self.controller is not None:
            self.controller.attach(board, simulated=self._simulate, data_dir=self.data_dir)
        self._attach_speaker(self._simulate, tap)
        if self.station is not None:
            self.station.service.is_input = lambda port: not self.ports.is_output(f"port{port}")
        if any(led.name == "statusDoor" for led in self.model.leds):
            later = partial(self.ledger.post, lazy=True)
            icon = DoorIcon(self.indicators, self.ports.ports, lambda: self.ports.rex.port, later)
            for topic in (events.IO_PORT, events.IO_OUTPUT_PORT):
                self.bus.in_transaction(topic, icon.on_port)
        if self.intercom is not None and any(led.name == "callButton" for led in self.model.leds):
            contacts = self.intercom.service.contacts
            light = StandbyLight(self.indicators, lambda: contacts.button.standby_light)
            self.bus.in_transaction(events.CALL_STATE, light.on_call)
            self.bus.in_transaction(events.CONFIGURATION_CHANGED, light.on_configuration)
            self.sensors.subscribe("light", lambda tx, lux, correlation: light.on_light(tx, float(lux), correlation))
        if self.station is not None and self.speaker is not None:
            self.station.join(self.speaker, self._desk)

    def start(self) -> None:
        """Outputs known, then initial states, then rules, then the ledger thread: the door works."""
        self.board.start()
        if self.strobe is not None:
            self.strobe.start(self.data_dir if self._simulate else None)
        elif self.speaker is not None:
            self.speaker.start(self.data_dir if self._simulate else None)
        if self._lines is not None:
            self._lines.start()
        self.ledger.load(self._announce, self.events.start)
        self.ledger.start()

    def stop(self) -> None:
        """Hang up, finish what is queued, then end the I/O thread (pulses end, outputs become normal, it gets dark)."""
        if self.intercom is not None:
            self.intercom.stop()
        self.ledger.stop()
        if self._lines is not None:
            self._lines.stop()
        if self.strobe is not None:
            self.strobe.stop()
        elif self.speaker is not None:
            self.speaker.stop()
        self.board.stop()

    def completed(self, tx: Transaction) -> None:
        """Startup is complete."""
        tx.publish(ready(True))
        if self.strobe is not None:
            self.strobe.completed(tx)

    def _make_strobe(self) -> Strobe | None:
        if not self.model.siren:
            return None
        from .strobe import Strobe

        return Strobe(self.ledger, self.indicators, self.sensors, self._reset)

    def _condition_sources(self) -> tuple[ConditionSource, ...]:
        own = () if self.intercom is None else (self.intercom.conditions,)
        return (self.schedules.conditions, self.mqtt.conditions, *own)

    def _make_intercom(self, media: MediaPort | None) -> Intercom | None:
        if not self.model.calls:
            return None
        from .intercom import Intercom

        bind, clips = self.config.network.bind, self.clips
        intercom = Intercom(self.model, self.ledger, self.schedules, self.indicators, bind=bind, clips=clips)
        two_way = self.strobe is None
        own = partial(
            intercom.own_media, self.config.sound, simulated=self._simulate, two_way=two_way, folder=self.data_dir
        )
        intercom.attach(self.bus, media or own())
        return intercom

    def _make_station(self) -> Station | None:
        if not self.model.readers or self.model.doors:
            return None
        from .station import Station

        return Station(self.model, self.ledger, indicators=self.indicators, access=self.access, config=self.config)

    def _attach_speaker(self, simulate: bool, tap: str | None) -> None:
        """Connect the loudspeaker: that of the siren, or one that costs nothing before its first sound."""
        if self.clips is None:
            return
        strobe = self.strobe
        if strobe is not None and strobe.outputs is not None:
            self.speaker = strobe.outputs.speaker
            self.clips.silent = lambda: "the device is in maintenance mode" if strobe.service.maintenance else ""
            self.bus.in_transaction(events.MAINTENANCE_MODE, self._hush)
        else:
            from axcore.drivers.speaker import Loudspeaker

            self.speaker = Loudspeaker(self.config.sound, simulated=simulate, tap=tap)
            if self._desk is not None:
                self.clips.attach(self._desk.over(self.speaker))
                return
        self.clips.attach(self.speaker)

    @property
    def _desk(self) -> Desk | None:
        """Who gives the loudspeaker to calls and to all else; None where there is nothing to share."""
        media = None if self.intercom is None else self.intercom.media
        return None if media is None or self.strobe is not None else media.desk

    def _hush(self, tx: Transaction, event: Event) -> None:
        """In maintenance mode the device makes no sound."""
        if event.data.get("active") == "1" and self.clips is not None:
            self.clips.stop(tx)

    def _make_controller(self) -> Controller | None:
        if not self.model.doors:
            return None
        from .controller import Controller

        controller = Controller(self.model, self.ledger, self.clock, self.bus, self.config.serial)
        controller.join(self.ports, self.sensors)
        return controller

    def _reset(self) -> None:
        self.on_reset()

    def _performers(self) -> tuple[Performer, ...]:
        """Who performs the actions of rules."""
        return (
            PortPerformer(self.ports),
            VirtualInputPerformer(self.ports),
            IndicatorPerformer(self.model, self.indicators),
            MqttPerformer(self.mqtt),
            self._notifications,
            *(() if self.strobe is None else (self.strobe.performer,)),
            *(() if self.clips is None else (ClipPerformer(self.clips),)),
            *((SpeakerTestPerformer(self._speaker_test),) if self.model.speaker_test else ()),
            *(() if self.intercom is None else (self.intercom.performer,)),
            AbsentPerformer(clips=self.clips is not None, calls=self.intercom is not None),
        )

    def _speaker_test(self) -> SpeakerTestService:
        assert self.station is not None
        assert self.station.speaker_test is not None
        return self.station.speaker_test

    def _make_board(self, simulate: bool, tap: str | None) -> Board:
        ports, device, controller = self.ports, self.model, self.controller
        inputs, outputs, rex = ({}, {}, {}) if controller is None else controller.doors.wires()
        if device.rex_input is not None and (target := ports.rex_target()) is not None:
            rex[device.rex_input] = target
        settings = LineSettings(
            inputs={line.name: ports.normal(line.name, "input") for line in device.inputs} | inputs,
            outputs={line.name: ports.normal(line.name, "output") for line in device.outputs} | outputs,
            driven=frozenset(line.name for line in device.outputs if ports.is_output(line.name)),
            rex=rex,
        )
        gpio = None if simulate or self.config.board.driver != "gpio" else self.config.board
        readers = [reader_config(self.config.wiegand)] * device.readers
        light = None if self.strobe is None else self.strobe.light(self.config, simulate)
        return Board(device, settings, readers=readers, tap=tap, gpio=gpio, light=light)

    def _make_sinks(self) -> Sinks:
        ports, access, strobe, intercom = self.ports, self.access, self.strobe, self.intercom
        station, controller = self.station, self.controller
        roles = {line.name: line.role for line in self.model.inputs}

        def on_input(tx: Transaction, line: str, active: bool, t_ns: int, correlation: str | None) -> None:
            if roles[line] in EARLY_ROLES:
                tx.act_early()
            if not any(part is not None and part.mutes(line) for part in (controller, station)):
                ports.on_input(tx, line, active, t_ns, correlation)
            if controller is not None:
                controller.on_input(tx, line, active, t_ns, correlation)
            if strobe is not None and roles[line] == "control":
                strobe.button.on_input(tx, active, t_ns, correlation)
            if station is not None:
                station.on_input(tx, line, roles[line], active)
            if line == "callbutton" and active:
                access.on_key(tx, "C", t_ns, correlation)
                if intercom is not None:
                    intercom.service.panel.on_button(tx, t_ns or tx.now.mono_ns, correlation)

        def on_key(tx: Transaction, key: str, t_ns: int, correlation: str | None, reader: int) -> None:
            access.on_key(tx, key, t_ns, correlation)

        return Sinks(
            on_read=(controller or station or access).on_read,
            on_key=on_key if controller is None else controller.on_key,
            on_input=on_input,
            on_output=ports.on_output,
            on_sequence_end=ports.on_sequence_end,
            on_reader_fault=self._reader_fault,
            on_lost=self._lost,
        )

    def _native(self) -> Iterable[Job[Any]]:
        jobs = self.board.jobs(self._sinks)
        return jobs if self._lines is None else jobs + self._lines.jobs()

    def progress(self) -> dict[str, int]:
        """Counters of the native threads that have something to do now: each rises all the time. Any thread."""
        media = None if self.intercom is None else self.intercom.media
        found = {
            "I/O": self.board.io.progress,
            "serial lines": None if self._lines is None else self._lines.ports.lines.progress,
            "loudspeaker": None if self.speaker is None else self.speaker.progress,
            "audio": None if media is None else media.progress,
        }
        return {name: count for name, count in found.items() if count is not None}

    @property
    def _lines(self) -> Station | Buses | None:
        """Who has serial lines."""
        return self.station if self.controller is None else self.controller.lines

    @property
    def rs485(self) -> str:
        """The other ends of simulated reader connectors, with spaces between."""
        if self.controller is not None:
            return self.controller.lines.far_ends
        return "" if self.station is None else self.station.far_end

    def _rehearse(self, tx: Transaction) -> None:
        """Do what the news that is under way would have done (``Ledger.rehearsal``, which undoes all of it).

        Of inputs only those whose edges act early: a call that a button would begin could be seen by who asks for it.
        """
        inputs, frame = self.board.io.changing()
        if frame:
            (self.access if self.controller is None else self.controller.readers).rehearse(tx)
        for number, line in enumerate(self.model.inputs):
            if inputs >> number & 1 and line.role in EARLY_ROLES:
                self._sinks.on_input(tx, line.name, not self.board.input_active(line.name), tx.now.mono_ns, None)

    def _announce(self, tx: Transaction) -> None:
        tx.publish(ready(False))
        if self.clips is not None:
            self.clips.start_up(tx)
        if self.strobe is not None:
            self.strobe.start_up(tx)
        self.ports.announce(tx)
        self.ports.virtual.announce(tx)
        self.sensors.announce(tx)
        self.indicators.announce(tx)
        self.ports.manual.announce(tx)
        self.schedules.announce(tx)
        self.mqtt.announce(tx)
        if self.intercom is not None:
            self.intercom.service.announce(tx)
        if self.station is not None:
            self.station.service.announce(tx)
        if self.controller is not None:
            self.controller.announce(tx)

    def _reader_fault(self, tx: Transaction, fault: ReaderFault) -> None:
        self.access.on_fault(
            tx,
            fault.error,
            reader=fault.reader,
            bits=fault.bits,
            glitches=fault.glitches,
            t_ns=fault.t_ns,
            correlation=fault.correlation,
        )

    def _lost(self, tx: Transaction, count: int) -> None:
        tx.publish(NewEvent(topic=events.EVENTS_DROPPED, data={"count": str(count), "component": "io"}))
        self.ports.reconcile(tx)
        if self.controller is not None:
            self.controller.reconcile(tx)

    def _wait(self, timeout_ns: int) -> bool:
        assert self._board is not None
        return self._board.io.wait(timeout_ns)

    def _wake(self) -> None:
        if self._board is not None:
            self._board.io.wake()


def ready(state: bool) -> NewEvent:
    """The event that tells whether the device is ready."""
    return NewEvent(topic=events.SYSTEM_READY, data={"ready": "1" if state else "0"}, is_property=True)
