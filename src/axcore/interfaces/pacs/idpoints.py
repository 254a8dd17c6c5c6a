"""IdPoint service (VAPIX *IdPoint service*): readers, their hardware, card formats, feedback, remote activities; and
the keys of their secure channels (VAPIX *Keystore service*).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

import msgspec

from axcore.errors import InputError, NotFoundError
from axcore.interfaces.soap.envelope import Fault
from axcore.model.pacs import MAX_NAME, EncryptionKey, IdData, IdDataConfiguration, IdPoint, IdPointConfiguration
from axcore.runtime.clock import rfc3339
from axcore.services.pacs import Request, activity, keystore, kinds, readers
from axcore.services.pacs.activity import ActivityType
from axcore.services.pacs.service import MAX_PAGE

from .codec import ArgumentError, Arguments
from .records import Records, capabilities
from .table import Answer, Caller, One, Operation, unknown

MAX_ACTIVITIES: Final = 8
_IDPOINT: Final = "pacs.id_point"
_HARDWARE: Final = kinds.ID_POINT_CONFIGURATION


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was shown."""

    type: ActivityType
    params: tuple[IdData, ...] = ()


class Indicate(Arguments, frozen=True, kw_only=True):
    """``IndicateRemoteActivities``."""

    token: str
    description: str = ""
    activities: tuple[Activity, ...] = ()


class Feedback(Arguments, frozen=True, kw_only=True):
    """``FeedbackMessage``."""

    token: str
    message: str
    description: str = ""


def _info(point: IdPoint, caller: Caller) -> dict[str, Any]:
    held = caller.pacs.table(_HARDWARE).get(point.token)
    reader = readers.setting(held, "IdPoint.Reader.Type") != "None"
    abilities = {
        "Configurable": True, "SupportCard": reader, "SupportPIN": reader,
        "SupportREX": readers.setting(held, "IdPoint.REX.Type") != "None",
        "Tampering": readers.setting(held, "IdPoint.Tampering.Type") != "None",
    }  # fmt: skip
    return {
        "token": point.token, "Name": point.name, "Description": point.description, "Location": point.location,
        "Area": point.area, "Capabilities": abilities,
    }  # fmt: skip


def _read(given: IdPointConfiguration, caller: Caller) -> IdPointConfiguration:
    return msgspec.structs.replace(given, device_uuid=given.device_uuid or caller.device_uuid)


def _show(held: IdPointConfiguration, caller: Caller) -> IdPointConfiguration:
    return msgspec.structs.replace(_read(held, caller), settings=readers.with_defaults(held))


def _read_key(given: EncryptionKey, caller: Caller) -> EncryptionKey:
    """Who sets a key does not say when."""
    return msgspec.structs.replace(given, modified=rfc3339(caller.ctx.clock.wall_ns()))


def _show_key(held: EncryptionKey, caller: Caller) -> EncryptionKey:
    return keystore.shown(held)


RECORDS: Final = (
    Records(
        service="axkey", wire="EncryptionKey", kind=kinds.ENCRYPTION_KEY, struct=EncryptionKey, read=_read_key,
        show=_show_key,
    ),
    Records(service="axtid", wire="IdPoint", kind=_IDPOINT, struct=IdPoint, info=_info),
    Records(
        service="axtid", wire="IdPointConfiguration", kind=_HARDWARE, struct=IdPointConfiguration, read=_read,
        show=_show,
    ),
    Records(
        service="axtid", wire="IdDataConfiguration", kind="pacs.id_data_configuration", struct=IdDataConfiguration,
    ),
)  # fmt: skip


def _known(token: str, caller: Caller) -> None:
    if token not in caller.pacs.index.id_points:
        raise unknown("Token", token)


async def get_id_point_configuration_info(given: One, caller: Caller) -> Answer:
    """``GetIdPointConfigurationInfo``: every setting with what it may be."""
    held = caller.pacs.table(_HARDWARE).get(given.token)
    if held is None:
        raise unknown("Token", given.token)
    return {
        "ConfigurationInfo": [
            {"Name": entry.name, "Value": entry.value, "Enums": list(readers.choices(entry.name)), "Type": "xs:string"}
            for entry in readers.with_defaults(held)
        ]
    }


async def get_secure_channel_status(given: One, caller: Caller) -> Answer:
    """``GetSecureChannelStatus``: a reader that has a key talks in a secure channel or not at all."""
    _known(given.token, caller)
    channel = None if caller.channels is None else caller.channels.channel(given.token)
    if channel is None:
        reason = "NotSupported"
    elif channel.link == "secure":
        reason = "ConnectionEstablished"
    else:
        reason = "ConnectionLost" if channel.has_key else "NoKey"
    return {"SecureChannelStatus": {"Active": reason == "ConnectionEstablished", "Reason": reason}}


async def get_last_credential(given: One, caller: Caller) -> Answer:
    """``GetLastCredential``: the last card; PINs are not kept."""
    _known(given.token, caller)
    last: Mapping[str, str] = {}
    if caller.readers is not None:
        with contextlib.suppress(NotFoundError):  # a reader on the network has no line
            last = caller.readers.last(given.token)
    return {"IdData": [IdData(name, value) for name, value in last.items()]}


async def feedback_message(given: Feedback, caller: Caller) -> Answer:
    """``FeedbackMessage``: light and sound at the reader."""
    _known(given.token, caller)
    if not given.message or len(given.message) > MAX_NAME:
        raise InputError("Message", f"must have 1..{MAX_NAME} characters")
    control = caller.readers
    if control is None:
        raise Fault("there are no readers to give feedback", "ter:ActionNotSupported", code="Receiver")
    feedback = control.feedback
    await caller.run(lambda tx: feedback(tx, given.token, given.message))
    return {}


async def indicate_remote_activities(given: Indicate, caller: Caller) -> Answer:
    """``IndicateRemoteActivities``: as if it had happened at the reader; two events each, and a decision."""
    _known(given.token, caller)
    if not 1 <= len(given.activities) <= MAX_ACTIVITIES:
        raise ArgumentError("Activities", f"must have 1..{MAX_ACTIVITIES} activities")
    shown = [_shown(entry, f"Activities[{at}]") for at, entry in enumerate(given.activities)]
    together: dict[str, str] = {}
    for data in shown:
        together |= data

    def job(tx: Any) -> None:
        for entry, data in zip(given.activities, shown, strict=True):
            activity.tell(tx, given.token, entry.type, data)
        _present(tx, caller, given.token, together)

    await caller.run(job)
    return {}


def _present(tx: Any, caller: Caller, token: str, shown: Mapping[str, str]) -> None:
    """To the reader's session, where it has a line; a reader on the network has none, and is decided on at once."""
    control = caller.readers
    if control is not None:
        try:
            control.present(tx, token, shown)
            return
        except NotFoundError:
            pass
    if token in caller.pacs.index.by_id_point:
        request = Request(token, shown)
        if control is None:
            caller.pacs.decide(tx, request)
        else:
            control.request_access(tx, request)


def _shown(entry: Activity, path: str) -> Mapping[str, str]:
    if entry.type == "REX":
        if entry.params:
            raise InputError(f"{path}.Params", "a REX has none")
        return {"REX": "Active"}
    if not entry.params:
        raise ArgumentError(f"{path}.Params", "is required")
    shown: dict[str, str] = {}
    for at, data in enumerate(entry.params):
        if data.name in shown or not data.name or len(data.name) > 64 or len(data.value) > 512:
            raise InputError(f"{path}.Params[{at}].Name", "must be 1..64 characters, once; its value at most 512")
        shown[data.name] = data.value
    if entry.type == "PIN" and "PIN" not in shown:
        raise InputError(f"{path}.Params", "needs one that is called PIN")
    return shown


def operations() -> Iterator[Operation]:
    """Every operation of the service."""
    for records in RECORDS:
        yield from records.operations()
    own = partial(Operation, service="axtid")
    yield capabilities("axkey", lambda caller: {"MaxLimit": MAX_PAGE})
    yield capabilities("axtid", lambda caller: {"MaxLimit": MAX_PAGE, "SetIdPoint": True})
    yield own(name="GetIdPointConfigurationInfo", arguments=One, handler=get_id_point_configuration_info)
    yield own(name="GetSecureChannelStatus", arguments=One, handler=get_secure_channel_status)
    yield own(name="GetLastCredential", arguments=One, handler=get_last_credential)
    yield own(name="FeedbackMessage", arguments=Feedback, handler=feedback_message)
    yield own(name="IndicateRemoteActivities", arguments=Indicate, handler=indicate_remote_activities)
