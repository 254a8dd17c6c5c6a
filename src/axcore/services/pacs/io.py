"""Which I/O is used for what (VAPIX *I/O assignment service*): what the device has, what doors and readers need, and
who has what. Pure functions.

An I/O is a way to use some pins; those that share a pin cannot be used together, so that giving away one takes the
others from who had them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from axcore.errors import InputError, NotFoundError
from axcore.model.doors import DoorConfiguration, LockConfiguration
from axcore.model.pacs import IdPointConfiguration
from axcore.services.pacs.readers import setting

if TYPE_CHECKING:
    from axcore.devices import DeviceModel

INPUT = ("in:pu/gnd", "inout:pu/gnd")
SUPERVISED = "supervised"
DRIVEN = ("out:float/gnd", "out:pu/gnd", "inout:float/gnd", "inout:pu/gnd")
RELAY = "relay"
READER_LINES = {"LedRed": 0, "LedGreen": 1, "LedSingle": 1, "Beeper": 2, "Tampering": 3}
"""What the lines of a Wiegand reader are for: their places in ``ReaderSpec.lines``."""


class PinInfo(msgspec.Struct, frozen=True):
    """A pin of a connector."""

    name: str
    description: str = ""


class IoInfo(msgspec.Struct, frozen=True, kw_only=True):
    """An I/O that the device has."""

    io_name: str
    io_mode: tuple[str, ...]
    pin_info: tuple[PinInfo, ...]


class IoUser(msgspec.Struct, frozen=True, kw_only=True):
    """What an I/O is for."""

    type: str
    """``doorcontrol`` or ``idpoint``."""
    token: str
    usage: str
    multi_io: bool = False
    """It may have several."""

    @property
    def key(self) -> tuple[str, str, str]:
        return self.type, self.token, self.usage


class IoUserInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody needs."""

    name: str
    io_user: IoUser
    io_mode: tuple[str, ...]


class IoAssignment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who has an I/O; its token is the name of the I/O."""

    token: str
    mode: str
    users: tuple[IoUser, ...] = ()


def serial(port: int) -> str:
    """The I/O of an RS-485 line, by the number (1..) of its connector."""
    return f"Ser{port - 1}hd"


def wiegand(pair: int) -> str:
    """The I/O of a pair of Wiegand lines (0-based)."""
    return f"Wiegand{pair}"


def infos_of(model: DeviceModel) -> tuple[IoInfo, ...]:
    """The I/O of a device model, by its lines."""
    found = [
        IoInfo(io_name=line.name, io_mode=(*INPUT, SUPERVISED), pin_info=(PinInfo(line.name, "IN"),))
        for line in model.inputs
        if line.role != "control"
    ]
    for line in model.outputs:
        modes: tuple[str, ...] = (RELAY,) if line.kind == "relay" else DRIVEN
        found.append(IoInfo(io_name=f"{line.name}", io_mode=modes, pin_info=(PinInfo(line.name, "OUT"),)))
    pairs = {spec.port: spec.wiegand for spec in model.reader_places if spec.wiegand is not None}
    pairs = pairs or {number + 1: number for number in range(model.readers)}
    for port in sorted({spec.port for spec in model.reader_places} | pairs.keys()):
        pins = tuple(PinInfo(f"Reader Data {port}:{pin}", text) for pin, text in ((1, "A+"), (2, "B-")))
        found.append(IoInfo(io_name=serial(port), io_mode=("rs485hd",), pin_info=pins))
        if port in pairs:
            found.append(IoInfo(io_name=wiegand(pairs[port]), io_mode=("wiegand",), pin_info=pins))
    known: dict[str, IoInfo] = {}
    for info in found:  # a configurable port is one pin as input and as output
        before = known.get(info.io_name)
        modes = info.io_mode if before is None else tuple(dict.fromkeys((*before.io_mode, *info.io_mode)))
        known[info.io_name] = IoInfo(io_name=info.io_name, io_mode=modes, pin_info=info.pin_info)
    return tuple(known.values())


def users_of(
    doors: Mapping[str, DoorConfiguration], readers: Mapping[str, IdPointConfiguration], names: Mapping[str, str]
) -> list[IoUserInfo]:
    """What the doors and readers need that are configured; ``names`` are theirs, by token."""
    found: list[IoUserInfo] = []
    for token, door in sorted(doors.items()):

        def need(usage: str, modes: Iterable[str], *, several: bool = False, token: str = token) -> None:
            user = IoUser(type="doorcontrol", token=token, usage=usage, multi_io=several)
            found.append(IoUserInfo(name=names.get(token, ""), io_user=user, io_mode=tuple(modes)))

        for prefix, lock in (("", door.lock), ("Double", door.double_lock)):
            if modes := _lock_modes(lock):
                need(f"{prefix}Lock_{lock.type}", modes, several=True)
            if lock.monitored:
                need(f"{prefix}LockMonitor", INPUT)
        if door.monitor.type == "Standard":
            modes = (SUPERVISED,) if door.monitor.supervised else INPUT
            need("DoorOpenMonitor", modes, several=True)
            need("DoorClosedMonitor", modes)
    for token, reader in sorted(readers.items()):
        for usage, modes in _reader_needs(reader):
            user = IoUser(type="idpoint", token=token, usage=usage)
            found.append(IoUserInfo(name=names.get(token, ""), io_user=user, io_mode=tuple(modes)))
    return found


def _lock_modes(lock: LockConfiguration) -> tuple[str, ...]:
    if lock.type == "Relay":
        return (RELAY,)
    if lock.type == "RS485HD":
        return ("rs485hd",)
    if lock.type != "Standard":
        return ()
    return ("inout:12V/gnd",) if "12V" in (lock.value_when_locked, lock.value_when_unlocked) else DRIVEN


def _reader_needs(reader: IdPointConfiguration) -> list[tuple[str, tuple[str, ...]]]:
    kind = setting(reader, "IdPoint.Reader.Type")
    lines = {"Wiegand": "wiegand", "RS-485HD": "rs485hd", "RS-485FD": "rs485fd"}
    needs: list[tuple[str, tuple[str, ...]]] = [(kind, (lines[kind],))] if kind in lines else []
    led = setting(reader, "IdPoint.LED.Type")
    needs += [
        (usage, DRIVEN) for usage in {"SingleLED": ("LedSingle",), "DualLED": ("LedRed", "LedGreen")}.get(led, ())
    ]
    if setting(reader, "IdPoint.Beeper.Type") != "None":
        needs.append(("Beeper", DRIVEN))
    for what in ("Tampering", "REX"):
        level = setting(reader, f"IdPoint.{what}.Type")
        if level not in ("None", "RS-485HD"):
            needs.append((what, (SUPERVISED,) if level.startswith("Supervised") else INPUT))
    return needs


def lines_for(model: DeviceModel, usage: str) -> tuple[str, ...]:
    """The I/O of a controller that can be used so: its circuits and what guards free egress are wired."""
    inputs = {role: tuple(line.name for line in model.inputs if line.role == role) for role in ("monitor", "rex")}
    places = model.reader_places
    if usage in ("RS-485HD", "Wiegand"):
        return tuple(serial(spec.port) if usage == "RS-485HD" else wiegand(spec.wiegand or 0) for spec in places)
    if usage in READER_LINES:
        at = READER_LINES[usage]
        return tuple(spec.lines[at] for spec in places if spec.lines is not None)
    if usage == "REX":
        return inputs["rex"]
    if "Monitor" in usage:
        return inputs["monitor"] if usage in ("DoorOpenMonitor", "DoorClosedMonitor", "LockMonitor") else ()
    return tuple(line.name for line in model.outputs if line.kind == "relay")


def assigned(
    held: Mapping[str, IoAssignment], given: Sequence[IoAssignment], model: DeviceModel, users: Iterable[IoUserInfo]
) -> dict[str, IoAssignment]:
    """The assignments with those that are given. InputError names what cannot be; nothing changes then.

    An I/O without users is in nobody's hands, which is not the same as one that was never assigned.
    """
    known = {info.io_name: info for info in infos_of(model)}
    needs = {info.io_user.key: info for info in users}
    after = dict(held)
    for at, entry in enumerate(given):
        path = f"IoAssignment[{at}]"
        _check(entry, path, known, needs)
        if model.doors:
            _check_wired(entry, path, model)
        pins = set(known[entry.token].pin_info)
        for name in [name for name in after if name in known and pins & set(known[name].pin_info)]:
            del after[name]
        single = {user.key for user in entry.users if model.doors or not needs[user.key].io_user.multi_io}
        for name, other in list(after.items()):
            left = tuple(user for user in other.users if user.key not in single)
            if left != other.users:
                after[name] = msgspec.structs.replace(other, users=left)
        after[entry.token] = entry
    return after


def shown(
    held: Mapping[str, IoAssignment], users: Iterable[IoUserInfo], line_of: Callable[[IoUser], str]
) -> list[IoAssignment]:
    """Who has what: what was assigned, and what doors and readers have because nobody said otherwise."""
    needs = {info.io_user.key: info for info in users}
    found = {}
    for name, entry in held.items():
        left = tuple(user for user in entry.users if user.key in needs)
        if left:
            found[name] = msgspec.structs.replace(entry, users=left)
    for info in needs.values():
        line = line_of(info.io_user)
        if line and line not in held:
            before = found.get(line) or IoAssignment(token=line, mode=info.io_mode[0])
            found[line] = msgspec.structs.replace(before, users=(*before.users, info.io_user))
    return [found[name] for name in sorted(found)]


def _check_wired(entry: IoAssignment, path: str, model: DeviceModel) -> None:
    for at, user in enumerate(entry.users):
        lines = lines_for(model, user.usage)
        if entry.token not in lines:
            can = f"these can: {', '.join(dict.fromkeys(lines))}" if lines else "nothing can"
            raise InputError(f"{path}.IoUser[{at}].Usage", f"{entry.token} cannot be a {user.usage} ({can})")


def _check(
    entry: IoAssignment, path: str, known: Mapping[str, IoInfo], needs: Mapping[tuple[str, str, str], IoUserInfo]
) -> None:
    if entry.token not in known:
        raise NotFoundError(f"{path}.IoName", f"there is no {entry.token[:80]!r}")
    if entry.mode not in known[entry.token].io_mode:
        raise InputError(f"{path}.IoMode", f"must be one of {', '.join(known[entry.token].io_mode)}")
    for at, user in enumerate(entry.users):
        need = needs.get(user.key)
        if need is None:
            raise NotFoundError(f"{path}.IoUser[{at}]", "nobody needs that; GetIoUserInfoList tells what is needed")
        if entry.mode not in need.io_mode:
            raise InputError(f"{path}.IoMode", f"{user.usage} needs one of {', '.join(need.io_mode)}")
