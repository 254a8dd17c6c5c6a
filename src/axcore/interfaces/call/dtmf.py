"""DTMF triggers, events and configurations of the Call service: the same six methods for each of them.

A trigger is a sequence of keys with the event that it causes; one that was made here counts only for accounts whose
configuration names it (``DTMFConfigurationId``), one that was made over REST for its accounts, too. Events are those
that are stored, and those that sequences of REST are themselves (with the id of the trigger). What is not given stays;
what is new needs all but its ``Id`` and the ways of a configuration. Null is empty.

``Set...`` with an id that is not there makes a record of that id; ``Get...s`` and ``Remove...s`` pass over such. What
is used is not removed (``ter:Failure``, by whom).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import GenericAlias
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from axcore.errors import InputError, NotFoundError
from axcore.interfaces.http.jsonin import MissingFieldError
from axcore.model.accounts import Role
from axcore.model.intercom import (
    DtmfConfiguration,
    DtmfConfigurationSpec,
    DtmfEvent,
    DtmfEventSpec,
    DtmfSequence,
    DtmfSequenceSpec,
)

from .arguments import Args, Method, Methods, Text, given, in_words, read, some

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context
    from axcore.runtime.ledger import Transaction
    from axcore.services.intercom.dtmf import Dtmf

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,40}")
NAMES: Final = {
    "id": "Id",
    "name": "Name",
    "description": "Name",
    "sequence": "DTMFSequence",
    "event": "DTMFEventId",
    "triggers": "DTMFTriggerId",
    "rtp_keys": "RFC2833",
    "info_keys": "RFC2976",
}
"""Fields of the API, by those of the model."""


class TriggerArgs(Args, frozen=True, kw_only=True):
    """``DTMFTrigger``."""

    Id: Text = UNSET
    DTMFSequence: Text = UNSET
    DTMFEventId: Text = UNSET


class EventArgs(Args, frozen=True, kw_only=True):
    """``DTMFEvent``."""

    Id: Text = UNSET
    Name: Text = UNSET


class ConfigurationArgs(Args, frozen=True, kw_only=True):
    """``DTMFConfiguration``."""

    Id: Text = UNSET
    Name: Text = UNSET
    DTMFTriggerId: tuple[str, ...] | UnsetType | None = UNSET
    RFC2833: bool | None = None
    RFC2976: bool | None = None


class Kind(NamedTuple):
    """Records of one kind."""

    name: str
    args: type[Any]
    """A record as it comes."""
    needs: tuple[str, ...]
    """Fields that a new one must have."""
    there: Callable[[Dtmf], Mapping[str, Any]]
    """All of them, by id."""
    tell: Callable[[Any], dict[str, Any]]
    """A record in the words of the API."""
    add: Callable[[Transaction, Dtmf, str, Any], str]
    """Make a record; its id (empty = the next number)."""
    change: Callable[[Transaction, Dtmf, str, Any], object]
    remove: Callable[[Transaction, Dtmf, str], None]
    used: Callable[[Any], bool]
    """Of several that are removed, this one goes after the others, which may use it."""


# --- triggers


def _trigger(one: DtmfSequence) -> dict[str, Any]:
    return {"Id": one.id, "DTMFSequence": one.sequence, "DTMFEventId": one.causes}


def _add_trigger(tx: Transaction, dtmf: Dtmf, key: str, args: TriggerArgs) -> str:
    patch = _trigger_patch(args)
    spec = DtmfSequenceSpec(sequence=patch["sequence"], description="", event=patch["event"], configured=True)
    return dtmf.add_sequence(tx, spec, key=key, unique=True).id


def _change_trigger(tx: Transaction, dtmf: Dtmf, key: str, args: TriggerArgs) -> object:
    patch = _trigger_patch(args)
    if patch.get("event") == dtmf.sequence(key).causes:
        del patch["event"]  # that of a sequence of REST may be its own
    return dtmf.update_sequence(tx, key, patch, unique=True)


def _trigger_patch(args: TriggerArgs) -> dict[str, str]:
    patch = given({"sequence": args.DTMFSequence, "event": args.DTMFEventId})
    if patch.get("event") == "":
        raise InputError("event", "is needed: which event the keys cause")
    return patch


# --- events


def _event(one: DtmfEvent) -> dict[str, Any]:
    return {"Id": one.id, "Name": one.name}


def _add_event(tx: Transaction, dtmf: Dtmf, key: str, args: EventArgs) -> str:
    return dtmf.add_event(tx, DtmfEventSpec(**given({"name": args.Name})), key=key).id


def _change_event(tx: Transaction, dtmf: Dtmf, key: str, args: EventArgs) -> object:
    return dtmf.update_event(tx, key, given({"name": args.Name}))


# --- configurations


def _configuration(one: DtmfConfiguration) -> dict[str, Any]:
    return {
        "Id": one.id,
        "Name": one.name,
        "DTMFTriggerId": list(one.triggers),
        "RFC2833": one.rtp_keys,
        "RFC2976": one.info_keys,
    }


def _configuration_patch(args: ConfigurationArgs) -> dict[str, Any]:
    patch: dict[str, Any] = given({"name": args.Name})
    if args.DTMFTriggerId is not UNSET:
        patch["triggers"] = args.DTMFTriggerId or ()
    ways = (("rtp_keys", args.RFC2833), ("info_keys", args.RFC2976))
    return {**patch, **{name: value for name, value in ways if value is not None}}


def _add_configuration(tx: Transaction, dtmf: Dtmf, key: str, args: ConfigurationArgs) -> str:
    return dtmf.add_configuration(tx, DtmfConfigurationSpec(**_configuration_patch(args)), key=key).id


def _change_configuration(tx: Transaction, dtmf: Dtmf, key: str, args: ConfigurationArgs) -> object:
    return dtmf.update_configuration(tx, key, _configuration_patch(args))


KINDS: Final = (
    Kind(
        name="DTMFTrigger",
        args=TriggerArgs,
        needs=("DTMFSequence", "DTMFEventId"),
        there=lambda dtmf: dtmf.sequences,
        tell=_trigger,
        add=_add_trigger,
        change=_change_trigger,
        remove=lambda tx, dtmf, key: dtmf.remove_trigger(tx, key),
        used=lambda one: not one.event,
    ),
    Kind(
        name="DTMFEvent",
        args=EventArgs,
        needs=("Name",),
        there=lambda dtmf: dtmf.events,
        tell=_event,
        add=_add_event,
        change=_change_event,
        remove=lambda tx, dtmf, key: dtmf.remove_event(tx, key),
        used=lambda _: False,
    ),
    Kind(
        name="DTMFConfiguration",
        args=ConfigurationArgs,
        needs=("Name",),
        there=lambda dtmf: dtmf.configurations,
        tell=_configuration,
        add=_add_configuration,
        change=_change_configuration,
        remove=lambda tx, dtmf, key: dtmf.remove_configuration(tx, key),
        used=lambda _: False,
    ),
)


# --- the methods of a kind


def _reader(method: str, field: str, kind: Any, *default: Any) -> Callable[[dict[str, Any]], Any]:
    """Reads the only argument of a method."""
    struct: type[Any] = msgspec.defstruct(method, [(field, kind, *default)], bases=(Args,), frozen=True, kw_only=True)
    return lambda args: getattr(read(args, struct, method), field)


def _getters(kind: Kind) -> tuple[Method, Method]:
    name, key = kind.name, f"{kind.name}Id"
    of_one = _reader(f"Get{name}", key, str)
    of_some = _reader(f"Get{name}s", key, tuple[str, ...] | None, None)

    async def get_one(args: dict[str, Any], ctx: Context) -> dict[str, Any]:
        wanted, there = of_one(args), kind.there(ctx.intercom.accounts.dtmf)
        if wanted not in there:
            raise NotFoundError(key, f"there is no {name} {wanted[:40]!r}")
        return {name: kind.tell(there[wanted])}

    async def get_some(args: dict[str, Any], ctx: Context) -> dict[str, Any]:
        wanted, there = of_some(args), kind.there(ctx.intercom.accounts.dtmf)
        return {name: [kind.tell(one) for one in some(wanted, there)]}

    return get_one, get_some


def _setters(kind: Kind) -> tuple[Method, Method]:
    name, key = kind.name, f"{kind.name}Id"
    of_one = _reader(f"Set{name}", name, kind.args)
    of_some = _reader(f"Set{name}s", name, GenericAlias(tuple, (kind.args, ...)))

    async def set_one(args: dict[str, Any], ctx: Context) -> dict[str, Any]:
        record, dtmf = of_one(args), ctx.intercom.accounts.dtmf
        return {key: await ctx.ledger.run(lambda tx: _keep(tx, dtmf, kind, record, name))}

    async def set_some(args: dict[str, Any], ctx: Context) -> dict[str, Any]:
        """All of them, or nothing: one job."""
        records, dtmf = of_some(args), ctx.intercom.accounts.dtmf

        def job(tx: Transaction) -> list[str]:
            return [_keep(tx, dtmf, kind, record, f"{name}[{at}]") for at, record in enumerate(records)]

        return {key: await ctx.ledger.run(job)}

    return set_one, set_some


def _keep(tx: Transaction, dtmf: Dtmf, kind: Kind, record: Any, where: str) -> str:
    """Make a record, or change it; its id."""
    with in_words(NAMES, where):
        key = given({"id": record.Id}).get("id", "")
        if key and not _ID.fullmatch(key):
            raise InputError("id", "must be 1..40 letters, digits, - and _")
        if key in kind.there(dtmf):
            kind.change(tx, dtmf, key, record)
            return key
        for field in kind.needs:
            if getattr(record, field) is UNSET:
                raise MissingFieldError(f"{where}.{field}", "is required")
        return kind.add(tx, dtmf, key, record)


def _removers(kind: Kind) -> tuple[Method, Method]:
    name, key = kind.name, f"{kind.name}Id"
    of_one = _reader(f"Remove{name}", key, str)
    of_some = _reader(f"Remove{name}s", key, tuple[str, ...])

    async def remove(wanted: Iterable[str], ctx: Context) -> dict[str, Any]:
        dtmf = ctx.intercom.accounts.dtmf

        def job(tx: Transaction) -> None:
            there = kind.there(dtmf)
            found = [one for one in dict.fromkeys(wanted) if one in there]
            for one in sorted(found, key=lambda one: kind.used(there[one])):
                with in_words({"id": key}):
                    kind.remove(tx, dtmf, one)

        await ctx.ledger.run(job)
        return {}

    async def remove_one(args: dict[str, Any], ctx: Context) -> dict[str, Any]:
        return await remove((of_one(args),), ctx)

    async def remove_some(args: dict[str, Any], ctx: Context) -> dict[str, Any]:
        """Without a list none of them."""
        return await remove(of_some(args), ctx)

    return remove_one, remove_some


def _methods(kind: Kind) -> Iterator[tuple[str, tuple[Role, Method]]]:
    for verb, pair in (("Get", _getters(kind)), ("Set", _setters(kind)), ("Remove", _removers(kind))):
        for ending, method in zip(("", "s"), pair, strict=True):
            yield f"{verb}{kind.name}{ending}", (Role.ADMIN, method)


METHODS: Final[Methods] = {name: method for kind in KINDS for name, method in _methods(kind)}
