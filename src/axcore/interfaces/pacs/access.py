"""Access control service (VAPIX *Access control service*): who may pass where, requests for access, anti-passback."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import msgspec

from axcore.errors import ConflictError, InputError
from axcore.interfaces.soap.envelope import Fault
from axcore.model.pacs import (
    AccessController,
    AccessPoint,
    AccessProfile,
    Area,
    AuthenticationProfile,
    Credential,
    IdData,
    IdPointDevice,
    Passage,
)
from axcore.services.pacs import Request
from axcore.services.pacs.service import MAX_PAGE

from .codec import NAMES, ArgumentError, Arguments
from .records import Records, capabilities
from .table import Answer, Caller, Empty, Operation, Page, Some, failed, unknown

US: Final = 1_000


class Ask(Arguments, frozen=True, kw_only=True):
    """``RequestAccess`` and ``VerifyRequest``."""

    token: str = ""
    """The access controller; empty = this one."""
    source_token: str
    """The id point."""
    target_token: str = ""
    action: str = ""
    id_data: tuple[IdData, ...] = ()


class Status(Arguments, frozen=True, kw_only=True):
    """``EnableCredential`` and ``DisableCredential``."""

    token: tuple[str, ...] = ()
    status: str = ""


class ResetPassage(Arguments, frozen=True, kw_only=True):
    """``ResetAntipassbackViolation``; both names are understood."""

    token: tuple[str, ...] = ()
    credential_token: tuple[str, ...] = ()


class WirePassage(msgspec.Struct, frozen=True, kw_only=True):
    """``AntipassbackData``."""

    credential_token: str
    current_area: str = ""
    by_time: bool = False
    pass_ok_threshold: int = 0
    """Wall time, us."""
    violation: str = ""


class SetPassages(Arguments, frozen=True, kw_only=True):
    """``SetAntipassbackData``."""

    antipassback_data: tuple[WirePassage, ...] = ()


NAMES[SetPassages] = {"antipassback_data": "AntipassbackData"}


class WireControllerConfiguration(msgspec.Struct, frozen=True, kw_only=True):
    """``AccessControllerConfiguration``: which device an access controller is."""

    token: str
    device_uuid: str = ""


NAMES[WireControllerConfiguration] = {"device_uuid": "DeviceUUID"}


async def with_controller(caller: Caller) -> None:
    """The delivered access controller, once (*Retrieve default configuration*)."""
    name = f"Axis-{caller.serial} AccessController"
    if not caller.pacs.delivered_controller:
        await caller.run(lambda tx: caller.pacs.deliver_controller(tx, AccessController(token=name, name=name)))


def _with_uuids(given: AccessPoint, caller: Caller) -> AccessPoint:
    """With the identity of this device where none is named (*UUID*)."""
    own = caller.device_uuid
    devices = tuple(IdPointDevice(held.id_point, held.device_uuid or own) for held in given.id_points)
    return msgspec.structs.replace(given, door_device_uuid=given.door_device_uuid or own, id_points=devices)


def _point_info(point: AccessPoint, caller: Caller) -> dict[str, Any]:
    return {
        "token": point.token, "Name": point.name, "Description": point.description, "AreaFrom": point.area_from,
        "AreaTo": point.area_to, "EntityType": point.entity_type, "Entity": point.entity,
        "Capabilities": {"DisableAccessPoint": True, "AccessTaken": True, "Duress": True, "AnonymousAccess": True},
    }  # fmt: skip


def _named(record: Any, caller: Caller) -> dict[str, Any]:
    return {"token": record.token, "Name": record.name, "Description": record.description}


def _controller_info(record: AccessController, caller: Caller) -> dict[str, Any]:
    return {**_named(record, caller), "AccessPoint": list(record.access_points)}


def _credential_info(held: Credential, caller: Caller) -> dict[str, Any]:
    return {
        "token": held.token, "UserToken": held.user_token, "Description": held.description,
        "ValidFrom": held.valid_from, "ValidTo": held.valid_to, "Enabled": held.enabled, "Status": held.status,
    }  # fmt: skip


_TAC: Final = ("tac",)
RECORDS: Final = (
    Records(
        service="pacsaxis", wire="AccessController", kind="pacs.access_controller", struct=AccessController,
        info=_controller_info, prepare=with_controller, also=_TAC, info_also=_TAC,
    ),
    Records(
        service="pacsaxis", wire="AccessPoint", kind="pacs.access_point", struct=AccessPoint, read=_with_uuids,
        show=_with_uuids, info=_point_info, also=_TAC, info_also=_TAC,
    ),
    Records(service="pacsaxis", wire="Area", kind="pacs.area", struct=Area, info=_named, also=_TAC, info_also=_TAC),
    Records(
        service="pacsaxis", wire="AccessProfile", kind="pacs.access_profile", struct=AccessProfile, info=_named,
    ),
    Records(
        service="pacsaxis", wire="AuthenticationProfile", kind="pacs.authentication_profile",
        struct=AuthenticationProfile, info=_named,
    ),
    Records(
        service="pacsaxis", wire="Credential", kind="pacs.credential", struct=Credential, info=_credential_info,
    ),
)  # fmt: skip


async def _ask(given: Ask, caller: Caller) -> tuple[Request, Any]:
    await with_controller(caller)
    if given.token and given.token not in caller.pacs.table("pacs.access_controller"):
        raise unknown("Token", given.token)
    if not given.id_data:
        raise ArgumentError("IdData", "is required")
    shown: dict[str, str] = {}
    for at, data in enumerate(given.id_data):
        if data.name in shown:
            raise InputError(f"IdData[{at}].Name", f"{data.name[:80]} stands twice")
        shown[data.name] = data.value
    return Request(given.source_token, shown, given.target_token, given.action), given


async def verify_request(given: Ask, caller: Caller) -> Answer:
    """``VerifyRequest``: what a request would be answered, with no door and no event."""
    request, _ = await _ask(given, caller)
    wall_ns = caller.ctx.clock.wall_ns()
    decision = caller.pacs.verify(request, wall_ns)
    return {"AccessGranted": decision.granted, "Reason": decision.reason}


async def request_access(given: Ask, caller: Caller) -> Answer:
    """``RequestAccess``: decided, told, and done if it is granted."""
    request, _ = await _ask(given, caller)
    readers, doors = caller.readers, caller.doors
    refused: list[ConflictError] = []

    def job(tx: Any) -> Any:
        if readers is not None:
            return readers.request_access(tx, request)
        decision = caller.pacs.decide(tx, request)
        if decision.granted and decision.door:
            times: dict[str, Any] = {
                "extended": decision.extended, "access_ms": decision.access_ms,
                "open_too_long_ms": decision.open_too_long_ms, "pre_alarm_ms": decision.pre_alarm_ms,
            }  # fmt: skip
            try:
                doors.access(tx, decision.door, unlock=decision.unlock, **times)
            except ConflictError as error:
                refused.append(error)
                caller.pacs.taken(tx, decision, False)
        return decision

    decision = await caller.run(job)
    if refused:
        raise failed(refused[0])
    return {"AccessGranted": decision.granted, "Reason": decision.reason}


def _switch(name: str, kind: str, arguments: type[Arguments], enabled: bool, also: tuple[str, ...] = ()) -> Operation:
    async def handler(given: Any, caller: Caller) -> Answer:
        if not given.token:
            raise ArgumentError("Token", "is required")
        status = getattr(given, "status", "")
        await caller.run(lambda tx: caller.pacs.set_enabled(tx, kind, given.token, enabled, status))
        return {}

    return Operation(service="pacsaxis", name=name, arguments=arguments, handler=handler, also=also)


async def get_access_point_state(given: Some, caller: Caller) -> Answer:
    """``GetAccessPointState``."""
    if len(given.token) != 1:
        raise ArgumentError("Token", "is required, once")
    found = caller.pacs.get("pacs.access_point", given.token)
    if not found:
        raise unknown("Token", given.token[0])
    return {"AccessPointState": {"Enabled": found[0].enabled}}


async def get_credential_statistics(given: Empty, caller: Caller) -> Answer:
    """``GetCredentialStatistics``."""
    credentials = caller.pacs.index.credentials
    off = sum(not held.enabled for held in credentials.values())
    return {"CredentialStatistics": {"NumberOfCredentials": len(credentials), "NumberOfDisabledCredentials": off}}


# --- anti-passback


async def get_antipassback_data_list(given: Page, caller: Caller) -> Answer:
    """``GetAntipassbackDataList``: where each credential was seen last."""
    held = sorted(dict(caller.pacs.passages).items())
    reference, prefix = given.start_reference, "at:"
    if reference and not reference.startswith(prefix):
        raise Fault("StartReference: was not given by this device; begin anew", "ter:InvalidArgVal",
                    "ter:InvalidStartReference")  # fmt: skip
    left = [passage for token, passage in held if token >= reference.removeprefix(prefix)]
    limit = min(given.limit, MAX_PAGE) if given.limit and given.limit > 0 else MAX_PAGE
    following = f"{prefix}{left[limit].credential}" if len(left) > limit else None
    return {"NextStartReference": following, "AntipassbackData": [_wire_passage(passage) for passage in left[:limit]]}


def _wire_passage(passage: Passage) -> WirePassage:
    return WirePassage(
        credential_token=passage.credential, current_area=passage.area, by_time=passage.by_time,
        pass_ok_threshold=passage.pass_ok_ns // US,
    )  # fmt: skip


async def set_antipassback_data(given: SetPassages, caller: Caller) -> Answer:
    """``SetAntipassbackData``: what another controller has seen."""
    if not given.antipassback_data:
        raise ArgumentError("AntipassbackData", "is required")
    passages = [
        Passage(held.credential_token, held.current_area, held.pass_ok_threshold * US, held.by_time)
        for held in given.antipassback_data
    ]
    await caller.run(lambda tx: caller.pacs.set_passages(tx, passages))
    return {}


async def reset_antipassback_violation(given: ResetPassage, caller: Caller) -> Answer:
    """``ResetAntipassbackViolation``: a credential may go in again."""
    tokens = (*given.token, *given.credential_token)
    if not tokens:
        raise ArgumentError("CredentialToken", "is required")
    await caller.run(lambda tx: caller.pacs.reset_passages(tx, tokens))
    return {}


async def reset_all_antipassback_violations(given: Empty, caller: Caller) -> Answer:
    """``ResetAllAntipassbackViolations``."""
    await caller.run(caller.pacs.reset_passages)
    return {}


async def get_access_controller_configuration_list(given: Page, caller: Caller) -> Answer:
    """``GetAccessControllerConfigurationList``: every access controller here is this device."""
    await with_controller(caller)
    found = caller.pacs.table("pacs.access_controller")
    return {
        "AccessControllerConfiguration": [
            WireControllerConfiguration(token=token, device_uuid=caller.device_uuid) for token in sorted(found)
        ]
    }


async def get_access_controller_configuration(given: Some, caller: Caller) -> Answer:
    """``GetAccessControllerConfiguration``."""
    answer = await get_access_controller_configuration_list(Page(), caller)
    wanted = set(given.token)
    name = "AccessControllerConfiguration"
    return {name: [held for held in answer[name] if held.token in wanted]}


def _capabilities(caller: Caller) -> dict[str, Any]:
    names = ("AccessController", "AccessPoint", "AccessProfile", "Area", "AuthenticationProfile", "Credential")
    verbs = ("Get", "Set", "Remove")
    return {"MaxLimit": MAX_PAGE, **{f"{verb}{name}": True for name in names for verb in verbs}}


def operations() -> Iterator[Operation]:
    """Every operation of the service."""
    own = partial(Operation, service="pacsaxis")
    for records in RECORDS:
        yield from records.operations()
    yield capabilities("pacsaxis", _capabilities, _TAC)
    yield own(name="RequestAccess", arguments=Ask, handler=request_access)
    yield own(name="VerifyRequest", arguments=Ask, handler=verify_request)
    yield _switch("EnableCredential", "pacs.credential", Status, True)
    yield _switch("DisableCredential", "pacs.credential", Status, False)
    yield _switch("EnableAccessPoint", "pacs.access_point", Some, True, _TAC)
    yield _switch("DisableAccessPoint", "pacs.access_point", Some, False, _TAC)
    yield own(name="GetAccessPointState", arguments=Some, handler=get_access_point_state, also=_TAC)
    yield own(name="GetCredentialStatistics", arguments=Empty, handler=get_credential_statistics)
    yield own(name="GetAntipassbackDataList", arguments=Page, handler=get_antipassback_data_list)
    yield own(name="SetAntipassbackData", arguments=SetPassages, handler=set_antipassback_data)
    yield own(name="ResetAntipassbackViolation", arguments=ResetPassage, handler=reset_antipassback_violation)
    yield own(name="ResetAllAntipassbackViolations", arguments=Empty, handler=reset_all_antipassback_violations)
    yield own(
        name="GetAccessControllerConfigurationList", arguments=Page, handler=get_access_controller_configuration_list
    )
    yield own(name="GetAccessControllerConfiguration", arguments=Some, handler=get_access_controller_configuration)
