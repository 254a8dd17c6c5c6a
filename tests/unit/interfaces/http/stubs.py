"""A device without threads: the real services over a ledger that runs jobs at once, and requests without a socket."""

from __future__ import annotations

from typing import Any

from axcore.devices.models import MODELS
from axcore.interfaces.http.errors import ForbiddenError
from axcore.interfaces.http.forms import Form, parse_urlencoded
from axcore.model.accounts import Identity, Role
from axcore.runtime.bus import Bus
from axcore.services.access import AccessService
from axcore.services.certificates import CertificateStore
from axcore.services.events import EventService, PortPerformer, VirtualInputPerformer
from axcore.services.mqtt import MqttPerformer, MqttService
from axcore.services.params import ParamService, settings
from axcore.services.ports import PortService
from axcore.services.schedules import ScheduleService, rules_using
from axcore.services.time import check_zone
from axcore.testing import MemoryLedger, MemoryStore


class FakeLines:
    """A board whose outputs follow at once; ``told`` is what it was told."""

    def __init__(self, on_output: Any) -> None:
        self.inputs: dict[str, bool] = {}
        self.outputs: dict[str, bool] = {}
        self.told: list[tuple[Any, ...]] = []
        self._on_output = on_output

    def input_active(self, line: str) -> bool:
        return self.inputs.get(line, False)

    def output_active(self, line: str) -> bool:
        return self.outputs.get(line, False)

    def set(self, line: str, active: bool, correlation: str | None) -> None:
        self.told.append(("set", line, active))
        if self.outputs.get(line, False) != active:
            self.outputs[line] = active
            self._on_output(line, active)

    def pulse(self, line: str, active: bool, seconds: float, correlation: str | None) -> None:
        self.told.append(("pulse", line, active, seconds))

    def hold(self, line: str, on: bool, active: bool, correlation: str | None) -> None:
        self.told.append(("hold", line, on, active))

    def sequence(self, line: str, steps: Any, correlation: str | None) -> None:
        self.told.append(("sequence", line, tuple(steps)))

    def configure_input(self, line: str, normal: str, rex: Any = None) -> None: ...
    def configure_output(self, line: str, normal: str) -> None: ...
    def set_direction(self, line: str, output: bool) -> None: ...


class FakeRequest:
    """What handlers use of a request."""

    method = "POST"

    def __init__(
        self,
        query: str = "",
        *,
        body: bytes = b"",
        content_type: str = "application/json",
        role: Role = Role.ADMIN,
        **path_params: str,
    ) -> None:
        self.identity = Identity("user", role)
        self.content_type = content_type
        self.path_params = path_params
        self._query, self._body = query, body

    @property
    def raw_query(self) -> str:
        return self._query

    def arguments(self) -> Form:
        return parse_urlencoded(self._query)

    async def read(self) -> bytes:
        return self._body

    async def form(self) -> Form:
        return Form((*self.arguments().fields, *parse_urlencoded(self._body.decode()).fields))

    def require(self, role: Role) -> None:
        if self.identity.role < role:
            raise ForbiddenError


class Device:
    """A door station for handler tests; it is also the ``ctx``."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.bus = Bus()
        self.ledger = MemoryLedger(bus=self.bus, store=self.store)
        model = MODELS["a8207-ve"]
        self.ports = PortService(model, self.ledger.post)
        self.clock = self.ledger.virtual_clock
        self.schedules = ScheduleService(self.clock, self.bus)
        self.certificates = CertificateStore()
        self.mqtt = MqttService(self.certificates)
        self.mqtt.identify("B8A44F00A0B1")
        performers = (PortPerformer(self.ports), VirtualInputPerformer(self.ports), MqttPerformer(self.mqtt))
        conditions = (self.schedules.conditions, self.mqtt.conditions)
        self.events = EventService(model, performers, self.bus, self.ledger.post, conditions=conditions)
        self.schedules.users.add(lambda schedule: rules_using(self.events.rules(), schedule))
        self.lines = FakeLines(lambda line, on: self.ledger.post(lambda tx: self.ports.on_output(tx, line, on)))
        self.ports.attach(self.lines)
        self.access = AccessService(self.schedules)
        self.params = ParamService(settings(check_zone))
        for timer in (self.schedules, self.ports):
            self.ledger.add_timer(timer)
        self.ledger.load(
            self.schedules.load,
            self.ports.load,
            self.access.load,
            self.mqtt.load,
            self.events.load,
            self.params.load,
        )
        self.ledger.load(self.schedules.announce)
        self.ledger.do(self.events.start)
        self.board: Any = None
        self.routes: Any = None
        self.follow = self.bus.subscribe

    def settle(self) -> None:
        """Let the ledger take up what the board reported."""
        self.ledger.do(lambda tx: None)

    def snapshot(self) -> tuple[Any, ...]:
        """Everything a refused request must leave as it was."""
        return (
            self.ports.ports(), self.ports.virtual_inputs(), self.events.rules(), self.access.holders(),
            self.access.settings, self.schedules.schedules(), self.ports.manual.active, self.store.records(),
            len(self.store.events),
        )  # fmt: skip
