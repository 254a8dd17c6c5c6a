"""A device whose real HTTP server answers SOAP over a ledger in memory, and a small client."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args
from xml.etree import ElementTree

import msgspec

from axcore.devices import MODELS
from axcore.errors import InputError, NotFoundError
from axcore.interfaces.soap import names
from axcore.interfaces.soap.subscriptions import PullPoints
from axcore.model.accounts import Role
from axcore.model.actions import Action
from axcore.model.events import NewEvent
from axcore.model.rules import Condition, RuleSpec
from axcore.services.events import (
    ActionType,
    ConfigurationService,
    EventService,
    PortPerformer,
    VirtualInputPerformer,
)
from axcore.services.ports import PortService
from axcore.services.recipients import RecipientService
from axcore.testing.http import HttpDevice, Reply
from tests.unit.services.fake_lines import FakeLines

MODEL = MODELS["a8207-ve-mk2"]
SPACES = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in names.PREFIXES.items())
ITEMS = 'Dialect="http://www.onvif.org/ver10/tev/messageContentFilter/ItemFilter"'
SET = 'Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet"'
PORT = "tns1:Device/tnsaxis:IO/Port"
VIRTUAL = "tns1:Device/tnsaxis:IO/VirtualInput"
RFID = "tns1:Device/tnsaxis:Intercom/RFID"


class Anything:
    """A performer of every action that no other performs."""

    def __init__(self, kinds: tuple[type[Any], ...]) -> None:
        self.kinds = kinds
        self.told: list[tuple[str, Any]] = []

    def describe(self) -> list[ActionType]:
        return [ActionType(type=k.__struct_config__.tag, group="", name="", fields={}) for k in self.kinds]

    def check(self, action: Any) -> Action:
        checked: Action = action
        return checked

    def start(self, tx: Any, action: Any, run: Any) -> None:
        self.told.append(("start", action))

    def stop(self, tx: Any, action: Any, run: Any) -> None:
        self.told.append(("stop", action))


class Schedule(msgspec.Struct, frozen=True):
    id: str
    name: str
    icalendar: str


class Schedules:
    """Schedules as records only."""

    def __init__(self) -> None:
        self._items: dict[str, Schedule] = {}

    def schedules(self) -> tuple[Schedule, ...]:
        return tuple(self._items.values())

    def add(self, tx: Any, spec: dict[str, Any]) -> Schedule:
        if not spec["name"]:
            raise InputError("name", "is required")
        if not spec["icalendar"].startswith("DTSTART:"):
            raise InputError("icalendar", "must start with DTSTART")
        kept = Schedule(str(len(self._items) + 1), spec["name"], spec["icalendar"])
        self._items[kept.id] = kept
        return kept

    def remove(self, tx: Any, schedule_id: str) -> None:
        if self._items.pop(schedule_id, None) is None:
            raise NotFoundError("id", "no such schedule")


class Answer:
    """A reply with its element."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.status = reply.status
        self.text = reply.text
        self.root = ElementTree.fromstring(reply.body)
        body = self.root.find("{*}Body")
        assert body is not None
        self.body = body[0]

    def all(self, path: str) -> list[str]:
        """Texts of the elements of a path of local names below the body's element."""
        return [(found.text or "") for found in self.body.findall("/".join(f"{{*}}{p}" for p in path.split("/")))]

    def one(self, path: str) -> str:
        (found,) = self.all(path)
        return found

    @property
    def fault(self) -> str:
        """Name of the fault's detail element, or else its innermost subcode, or its code."""
        assert self.body.tag.endswith("}Fault"), self.text
        detail = self.body.find("{*}Detail")
        if detail is not None:
            return detail[0].tag.rpartition("}")[2]
        return [found.text or "" for found in self.body.iter() if found.tag.endswith("}Value")][-1].rpartition(":")[2]

    @property
    def reason(self) -> str:
        return self.one("Reason/Text")


class Rig:
    """The device and what it consists of."""

    def __init__(self, data_dir: Path, *, everything: bool = False) -> None:
        self.recipients = RecipientService()
        self.schedules = Schedules()
        services: dict[str, Any] = {}
        self.device = HttpDevice(data_dir)
        ledger = self.ledger = self.device.ledger
        self.lines = FakeLines()
        self.ports = PortService(MODEL, ledger.post)
        performers: list[Any] = [PortPerformer(self.ports), VirtualInputPerformer(self.ports)]
        if everything:
            known = {kind for performer in performers for kind in performer.kinds}
            performers.append(Anything(tuple(kind for kind in get_args(Action) if kind not in known)))
            services = {"recipients": self.recipients, "schedules": self.schedules}
        self.events = EventService(MODEL, performers, ledger.bus, ledger.post)
        self.configurations = ConfigurationService(self.events)
        ledger.load(self.ports.load, self.events.load, self.configurations.load)
        self.ports.attach(self.lines)
        ledger.add_timer(self.events)
        ledger.add_timer(self.ports)
        ledger.load(self.ports.announce, self.ports.virtual.announce, self.events.start)
        ctx = self.ctx = self.device.ctx
        ctx.ports, ctx.events, ctx.configurations = self.ports, self.events, self.configurations
        ctx.pull_points = PullPoints(ctx.bus, ctx.clock)
        for name, service in services.items():
            setattr(ctx, name, service)

    async def __aenter__(self) -> Rig:
        await self.device.__aenter__()
        self.device.add_account("root", "pass", Role.ADMIN)
        self.device.add_account("oper", "pass", Role.OPERATOR)
        self.device.add_account("view", "pass", Role.VIEWER)
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.device.__aexit__()

    async def post(
        self, data: bytes, user: str | None = "oper", path: str = "/vapix/services", **headers: str
    ) -> Reply:
        given = {"Content-Type": "application/soap+xml", **{k.replace("_", "-"): v for k, v in headers.items()}}
        return await self.device.request("POST", path, user=user, data=data, headers=given)

    async def soap(
        self, body: str, *, header: str = "", user: str | None = "oper", path: str = "/vapix/services"
    ) -> Answer:
        """One call; ``body`` uses the prefixes of ``names``."""
        return Answer(await self.post(envelope(body, header), user, path))

    def publish(self, topic: str, data: dict[str, str], *, state: bool = False, **source: str) -> None:
        event = NewEvent(topic=topic, source=source, data=data, is_property=state)
        self.ledger.do(lambda tx: tx.publish(event))

    def add_rule(self, action: Action, *conditions: Condition, **fields: Any) -> str:
        spec = RuleSpec(name=fields.pop("name", "r"), conditions=conditions, action=action, **fields)
        return self.ledger.do(lambda tx: self.events.add_rule(tx, spec)).id

    def snapshot(self) -> tuple[Any, ...]:
        """Everything that a refused request must leave as it was."""
        return (
            self.ledger.store.records(), len(self.ledger.events), self.events.rules(),
            self.configurations.configurations(), self.recipients.recipients(), self.schedules.schedules(),
        )  # fmt: skip

    async def configure(self, template: str, name: str = "c", **values: str) -> Answer:
        """AddActionConfiguration."""
        return await self.soap(configuration(template, name, values))


def envelope(body: str, header: str = "", version: str = names.SOAP12) -> bytes:
    head = f"<s:Header>{header}</s:Header>" if header else ""
    return f'<s:Envelope xmlns:s="{version}" {SPACES}>{head}<s:Body>{body}</s:Body></s:Envelope>'.encode()


def configuration(template: str, name: str, values: Mapping[str, str]) -> str:
    given = "".join(f'<aa:Parameter Name="{key}" Value="{value}"/>' for key, value in values.items())
    return (
        f"<aa:AddActionConfiguration><aa:NewActionConfiguration><aa:TemplateToken>{template}</aa:TemplateToken>"
        f"<aa:Name>{name}</aa:Name><aa:Parameters>{given}</aa:Parameters></aa:NewActionConfiguration>"
        "</aa:AddActionConfiguration>"
    )


def filter_xml(topic: str, content: str = "") -> str:
    found = f"<wsnt:TopicExpression {SET}>{topic}</wsnt:TopicExpression>" if topic else ""
    return found + (f"<wsnt:MessageContent {ITEMS}>{content}</wsnt:MessageContent>" if content else "")


def item(name: str, value: str) -> str:
    return f'boolean(//SimpleItem[@Name="{name}" and @Value="{value}"])'


def action_rule(primary: str, *conditions: str, start: str = "", name: str = "Rule", more: str = "") -> str:
    begun = f"<aa:StartEvent>{start}</aa:StartEvent>" if start else ""
    each = "".join(f"<aa:Condition>{condition}</aa:Condition>" for condition in conditions)
    held = f"<aa:Conditions>{each}</aa:Conditions>" if conditions else ""
    return (
        f"<aa:AddActionRule><aa:NewActionRule><aa:Name>{name}</aa:Name><aa:Enabled>true</aa:Enabled>{begun}{held}"
        f"<aa:PrimaryAction>{primary}</aa:PrimaryAction>{more}</aa:NewActionRule></aa:AddActionRule>"
    )


async def refused(rig: Rig, body: str, fault: str, *said: str, **options: Any) -> Answer:
    """A call that gets a fault, names what is wrong, and changes nothing."""
    before = rig.snapshot()
    answer = await rig.soap(body, **options)
    assert (answer.status, answer.fault) == (400, fault), answer.text
    for word in said:
        assert word in answer.reason
    assert rig.snapshot() == before
    return answer
