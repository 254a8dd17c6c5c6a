"""What a rule can be made of: the conditions of a device, with the names that users see.

Manual: System > Events > Rules, and "Use Entry list to allow credential holders to open the door".

A condition type is *stateful* (a property: true while it has a value) or not (a pulse). ``match`` is what a condition
without data items of its own looks for.
"""

from __future__ import annotations

import itertools

import msgspec

from axcore.devices import DeviceModel
from axcore.errors import InputError
from axcore.model import events
from axcore.model.credentials import ACCESS_GRANTED
from axcore.model.ports import MANUAL_TRIGGER
from axcore.model.rules import Condition
from axcore.model.sip import identity
from axcore.rules import Filter, asked_by, canonical

from .conditions import ConditionType, Item, calls, clips, doors, sensors, speaker_test

ANY = 1 << 30


_FLAG = ("0", "1")


def condition_types(model: DeviceModel) -> tuple[ConditionType, ...]:
    """Every condition that the device offers, in the order of the menu."""
    return (
        *_entry_list(model),
        *_io(model),
        *_intercom(model),
        *calls(model),
        *clips(model),
        *speaker_test(model),
        *doors(model),
        *sensors(model),
        *_status(),
        *_control(model),
    )


def _reader(model: DeviceModel) -> tuple[Item, ...]:
    return (Item(name="reader", nice_name="Reader", values=tuple(str(n) for n in range(model.readers))),)


def _entry_list(model: DeviceModel) -> tuple[ConditionType, ...]:
    kinds = ("card", "pin", "qr", "card+pin")
    credential = Item(name="credential", nice_name="Credential", values=kinds)
    holder = (Item(name="holder", nice_name="Credential holder"), Item(name="name", nice_name="Name"))
    return (
        ConditionType(
            topic=events.ENTRY_GRANTED,
            group="Entry list",
            name=ACCESS_GRANTED,
            stateful=False,
            source=_reader(model),
            data=(
                Item(name="condition", nice_name="Event condition"),
                *holder,
                credential,
                Item(name="remaining", nice_name="Uses left"),
            ),
            match={"condition": ACCESS_GRANTED},
        ),
        ConditionType(
            topic=events.ENTRY_DENIED,
            group="Entry list",
            name="Access denied",
            stateful=False,
            source=_reader(model),
            data=(Item(name="reason", nice_name="Reason"), credential, *holder),
        ),
    )


def _io(model: DeviceModel) -> tuple[ConditionType, ...]:
    inputs = tuple(str(spec.id) for spec in model.ports if spec.input)
    outputs = tuple(str(spec.id) for spec in model.ports if spec.output)
    virtual = tuple(str(number) for number in range(1, model.virtual_inputs + 1))
    state = Item(name="state", nice_name="Active", values=_FLAG)
    return (
        ConditionType(
            topic=events.IO_PORT,
            group="I/O",
            name="Digital input",
            stateful=True,
            source=(Item(name="port", nice_name="Port", values=inputs),),
            data=(state,),
            match={"state": "1"},
        ),
        ConditionType(
            topic=events.IO_OUTPUT_PORT,
            group="I/O",
            name="Digital output",
            stateful=True,
            source=(Item(name="port", nice_name="Port", values=outputs),),
            data=(state,),
            match={"state": "1"},
        ),
        ConditionType(
            topic=events.RELAY,
            group="I/O",
            name="Relays and outputs",
            stateful=True,
            source=(Item(name="RelayToken", nice_name="Port", values=outputs),),
            data=(Item(name="LogicalState", nice_name="State", values=("active", "inactive")),),
            match={"LogicalState": "active"},
        ),
        ConditionType(
            topic=events.IO_VIRTUAL_INPUT,
            group="I/O",
            name="Virtual input",
            stateful=True,
            source=(Item(name="port", nice_name="Virtual input", values=virtual),),
            data=(Item(name="active", nice_name="Active", values=_FLAG),),
            match={"active": "1"},
        ),
        ConditionType(
            topic=events.IO_VIRTUAL_PORT,
            group="I/O",
            name="Manual trigger",
            stateful=True,
            source=(Item(name="port", nice_name="Manual trigger", values=(str(MANUAL_TRIGGER - 1),)),),
            data=(state,),
            match={"state": "1"},
        ),
    )


def _intercom(model: DeviceModel) -> tuple[ConditionType, ...]:
    active = (Item(name="active", nice_name="Active", values=_FLAG),)
    reader = _reader(model)
    found: list[ConditionType] = []
    roles = {line.role for line in model.inputs}
    if "rex" in roles:
        source = (Item(name="port", nice_name="Input", values=(str(model.rex_input),)),)
        found.append(
            ConditionType(
                topic=events.REX,
                group="Intercom",
                name="REX button",
                stateful=True,
                source=source,
                data=active,
                match={"active": "1"},
            )
        )
    if "callbutton" in roles:
        found.append(
            ConditionType(
                topic=events.CALL_BUTTON,
                group="Intercom",
                name="Call button",
                stateful=True,
                data=active,
                match={"active": "1"},
            )
        )
    if model.readers:
        card = (Item(name="card", nice_name="Card"), Item(name="bits", nice_name="Bits"))
        error = (Item(name="error", nice_name="Error"),)
        found += [
            _pulse(events.RFID, "Card read", reader, card),
            _pulse(events.QR, "QR code read", reader),
            _pulse(events.READER_FAULT, "Reader fault", reader, error),
        ]
    if model.keypad:
        keypad = (Item(name="keypad", nice_name="Keypad", values=("0",)),)
        states = (Item(name="state", nice_name="State", values=("idle", "entering")),)
        found += [
            _pulse(events.KEYPIN, "PIN entered", reader),
            _pulse(events.SPEED_DIAL, "Speed dial", keypad, (Item(name="number", nice_name="Number"),)),
            ConditionType(
                topic=events.KEYPAD_STATE,
                group="Intercom",
                name="Keypad in use",
                stateful=True,
                source=keypad,
                data=states,
                match={"state": "entering"},
            ),
        ]
    return tuple(found)


def _pulse(topic: str, name: str, source: tuple[Item, ...], data: tuple[Item, ...] = ()) -> ConditionType:
    return ConditionType(topic=topic, group="Intercom", name=name, stateful=False, source=source, data=data)


def _status() -> tuple[ConditionType, ...]:
    return (
        ConditionType(
            topic=events.CASING_OPEN,
            group="Device status",
            name="Casing open",
            stateful=True,
            source=(Item(name="Name", nice_name="Name", values=("Casing",)),),
            data=(Item(name="Open", nice_name="Open", values=_FLAG),),
            match={"Open": "1"},
        ),
        ConditionType(
            topic=events.SYSTEM_READY,
            group="Device status",
            name="System ready",
            stateful=True,
            data=(Item(name="ready", nice_name="Ready", values=_FLAG),),
            match={"ready": "1"},
        ),
    )


def _control(model: DeviceModel) -> tuple[ConditionType, ...]:
    if all(line.role != "control" for line in model.inputs):
        return ()
    name, function = "Control button pressed", Item(name="function", nice_name="Function", values=("O3C",))
    return (
        ConditionType(topic=events.CONTROL_BUTTON, group="Device status", name=name, stateful=False, data=(function,)),
    )


def check_condition(types: dict[str, ConditionType], condition: Condition, first: bool, field: str) -> Condition:
    """``condition`` with its topic as declared; ``InputError`` names the part under ``field`` that this device has not.

    A filter that is not the first condition has to be about exactly one property (VAPIX event service).
    """
    kind = types.get(canonical(condition.topic))
    try:
        if kind is not None and not condition.content:
            items = {"source": _checked(kind, kind.source, condition, "source"),
                     "data": _checked(kind, kind.data, condition, "data")}  # fmt: skip
            return msgspec.structs.replace(condition, topic=kind.topic, **items)
        _, asked = asked_by(condition, types)
        if not first:
            count = _instances(types, asked)
            if count != 1:
                raise InputError("content", f"must match one property, not {count if count < ANY else 'any number'}")
    except InputError as error:
        raise InputError(f"{field}.{error.field}", error.reason) from None
    return condition


def _checked(kind: ConditionType, items: tuple[Item, ...], condition: Condition, part: str) -> dict[str, str]:
    """The source or data items of a condition, as they are compared."""
    if condition.invert and not kind.stateful:
        raise InputError("invert", f"{kind.name} has no state that could be inverted")
    known = {item.name: item for item in items}
    found: dict[str, str] = {}
    for name, value in getattr(condition, part).items():
        item = known.get(name)
        if item is None:
            raise InputError(f"{part}.{name}", f"{kind.name} has no such item ({', '.join(known) or 'none'})")
        if (item.values or item.listed) and value not in item.values:
            there = ", ".join(item.values) or "those that there are: there is none yet"
            raise InputError(f"{part}.{name}", f"{value[:64]!r} is not one of {there}")
        found[name] = identity(value, f"{part}.{name}") if item.address else value
    return found


def _instances(types: dict[str, ConditionType], asked: Filter) -> int:
    """How many properties a filter can be about; ``ANY`` = that cannot be counted."""
    count = 0
    for kind in types.values():
        if not asked.covers(canonical(kind.topic)):
            continue
        if not kind.stateful:
            raise InputError("topic", f"{kind.name} only happens: it can be the first condition, not a further one")
        names = [item.name for item in kind.source]
        if any(not item.values and not item.listed for item in kind.source):
            # An item with free values: the filter has to name one of them.
            count += 1 if asked.content is not None else ANY
            continue
        sources = itertools.product(*[item.values for item in kind.source])
        count += sum(asked.could(dict(zip(names, values, strict=True))) for values in sources)
    return min(count, ANY)
