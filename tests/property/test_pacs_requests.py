"""Requests of access control: what is written is read back, JSON and XML alike; whatever is sent is answered or refused
by name, and a refusal changes nothing.
"""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import msgspec
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from axcore.errors import InputError
from axcore.interfaces.pacs import serve
from axcore.interfaces.pacs.codec import Shape, Slot, from_json, from_xml, shape, to_json, to_xml, wire_path
from axcore.interfaces.pacs.table import REASONS, SERVICES, Operation
from axcore.interfaces.soap.xmlio import parse
from axcore.model.durations import MAX_MS
from axcore.model.pacs import AccessProfile
from axcore.testing.controller import ControllerBench

OPERATIONS: list[tuple[str, Operation]] = sorted(serve.table(), key=lambda entry: (entry[0], entry[1].name))
KINDS = sorted(
    {
        slot.struct
        for _, operation in OPERATIONS
        for slot in shape(operation.arguments).slots
        if slot.struct is not None
    },
    key=lambda struct: struct.__name__,
)
"""Every struct that is an argument, and so those inside them."""
PLAIN = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x2FF), max_size=12)
"""Without white space, which XML does not keep at the ends."""
TOKENS = st.sampled_from(["door1", "reader1", "reader1access", "CardOnly", "standard_always", "nobody", ""])


def written(struct: type[Any]) -> st.SearchStrategy[Any]:
    """Values of a struct as they can be on the wire."""
    fields: dict[str, st.SearchStrategy[Any]] = {}
    for slot in shape(struct).slots:
        fields[slot.attr] = value_of(slot)
    return st.builds(struct, **fields)


def value_of(slot: Slot) -> st.SearchStrategy[Any]:
    match slot.kind:
        case "text":
            return st.sampled_from([choice for choice in slot.choices if choice]) if slot.choices else PLAIN
        case "flag":
            return st.booleans()
        case "number":
            return st.integers(-(10**9), 10**9)
        case "time":
            return st.integers(0, MAX_MS)
        case "texts":
            return st.lists(PLAIN.filter(bool), max_size=3).map(tuple)
        case _:
            assert slot.struct is not None
            one = written(slot.struct)
            return one if slot.kind == "one" else st.lists(one, max_size=2).map(tuple)


@given(st.sampled_from(KINDS).flatmap(written))
@example(AccessProfile(token="nobody", schedules=()))  # left out, it would be for always
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_written_is_read_back(value: Any) -> None:
    kind = type(value)
    assert from_json(kind, msgspec.json.decode(msgspec.json.encode(to_json(value)))) == value
    document = f"<r xmlns:p='urn:p'>{to_xml('p', 'Record', value)}</r>"
    assert from_xml(kind, next(iter(parse(document.encode())))) == value


WRONG = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 1 << 70), st.floats(allow_nan=False), st.text(max_size=70),
    st.lists(st.integers(0, 3), max_size=3), st.dictionaries(st.text(max_size=5), st.none(), max_size=2),
)  # fmt: skip


def sent(described: Shape, odd: bool) -> st.SearchStrategy[Any]:
    """Arguments that may be meant; ``odd``: values of another type too, fields that are missing or not known."""
    fields = {slot.wire: st.one_of(near(slot, odd), WRONG) if odd else near(slot, odd) for slot in described.slots}
    required = {slot.wire: fields.pop(slot.wire) for slot in described.slots if slot.required}
    if not odd:
        return st.fixed_dictionaries(required, optional=fields)
    return st.fixed_dictionaries({}, optional={**required, **fields, "Surprise": WRONG})


NEAR: dict[str, st.SearchStrategy[Any]] = {
    "text": st.one_of(TOKENS, st.text(max_size=8)), "flag": st.booleans(), "number": st.integers(-1, 70_000),
    "time": st.sampled_from(["PT10S", "PT0.5S", "PT1H", "P1Y", "soon"]), "texts": st.lists(TOKENS, max_size=2),
}  # fmt: skip


def near(slot: Slot, odd: bool) -> st.SearchStrategy[Any]:
    """A value that may be meant."""
    if slot.struct is None:
        return st.sampled_from(slot.choices) if slot.choices else NEAR[slot.kind]
    inner = sent(shape(slot.struct), odd)
    return inner if slot.kind == "one" else st.lists(inner, max_size=2)


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, Any]:
    """A method and what it is given."""
    service, operation = draw(st.sampled_from(OPERATIONS))
    return f"{service}:{operation.name}", draw(sent(shape(operation.arguments), draw(st.integers(0, 3)) == 0))


class Served:
    """A controller on the bench with its JSON services."""

    def __init__(self) -> None:
        self.bench = ControllerBench()
        self.bench.let_in()
        ledger = self.bench.ledger

        async def run(job: Any, **_: Any) -> Any:
            return ledger.do(job)

        kept = SimpleNamespace(run=run, events_after=ledger.events_after, last_id=ledger.store.last_id)
        self.ctx: Any = SimpleNamespace(
            controller=self.bench, ledger=kept, clock=self.bench.clock, system=SimpleNamespace(serial="B8A44F000001")
        )

    def post(self, body: bytes) -> tuple[int, dict[str, Any]]:
        request: Any = SimpleNamespace(identity=SimpleNamespace(name="root"))
        status, answer = asyncio.run(serve.answer_json(body, request, self.ctx))
        return status, msgspec.json.decode(answer)

    @property
    def state(self) -> tuple[Any, ...]:
        """What a refused request must leave as it was."""
        return self.bench.ledger.store.records(), dict(self.bench.doors.states()), self.bench.lines.commands[:]


@given(calls())
@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_asked_is_answered_or_refused_by_name(call: tuple[str, Any]) -> None:
    served = Served()
    before = served.state
    status, answer = served.post(msgspec.json.encode({call[0]: call[1]}))
    assert status in (200, 400), answer
    if status == 400:
        assert answer["FaultCode"] in REASONS
        assert answer["FaultReason"] != "Error"
        assert answer["FaultMsg"]
        records, doors, commands = served.state
        if answer["FaultSubCode"] != "ter:Failure":  # a granted request whose door refuses is told as not taken
            assert {**records, **_delivered(records)} == {**before[0], **_delivered(records)}
        assert (doors, commands) == before[1:]


def _delivered(records: dict[str, Any]) -> dict[str, Any]:
    """The access controller that every device has is made when it is first asked for."""
    return {kind: records[kind] for kind in ("pacs.access_controller", "pacs.state") if kind in records}


@given(st.one_of(st.binary(max_size=60), st.sampled_from([b"{}", b"[]", b'{"a":1,"b":2}', b'"x"', b"{" * 3000])))
@settings(deadline=None)
def test_octets_that_are_no_call_are_refused(body: bytes) -> None:
    status, answer = Served().post(body)
    assert status == 400
    assert answer["FaultMsg"]


@st.composite
def elements(draw: st.DrawFn) -> tuple[Operation, str]:
    """An operation, and XML that is nearly its arguments."""
    _, operation = draw(st.sampled_from(OPERATIONS))
    return operation, f"<r>{draw(inside(shape(operation.arguments)))}</r>"


def inside(described: Shape) -> st.SearchStrategy[str]:
    parts = []
    for slot in described.slots:
        text = near(slot, odd=False).map(_escaped) if slot.struct is None else inside(shape(slot.struct))
        odd = st.sampled_from(["", "&#x20AC;", "<deep/>", "12", "true"])
        parts.append(st.one_of(text, odd).map(lambda held, name=slot.wire: f"<{name}>{held}</{name}>"))  # type: ignore[misc]
    return st.lists(st.one_of(parts) if parts else st.just("<none/>"), max_size=6).map("".join)


def _escaped(value: Any) -> str:
    text = "".join(char for char in str(value) if char.isprintable())
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@given(elements())
@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_xml_is_read_or_refused_by_name(given: tuple[Operation, str]) -> None:
    operation, document = given
    refused: list[InputError] = []
    try:
        found = from_xml(operation.arguments, parse(document.encode()))
    except InputError as error:
        refused.append(error)
    else:
        assert isinstance(found, operation.arguments)
    assert all(error.field and error.reason for error in refused)


def test_every_operation_is_on_a_path_and_of_a_namespace() -> None:
    assert len(OPERATIONS) == len({(service, operation.name) for service, operation in OPERATIONS})
    for service, operation in OPERATIONS:
        assert SERVICES[service][0].startswith("http://")
        for slot in shape(operation.arguments).slots:
            assert wire_path(operation.arguments, slot.attr) == slot.wire
