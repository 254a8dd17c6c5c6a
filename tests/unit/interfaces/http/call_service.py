"""The Call service as clients ask it, in each of its forms. ``bench`` is an ``IntercomBench``."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode

import msgspec
from intercom_bench import IntercomBench
from stubs import FakeRequest

from axcore.interfaces.call import simple, soap
from axcore.interfaces.http.forms import parse_urlencoded
from axcore.interfaces.http.vapix import call as vapix
from axcore.interfaces.http.vapix import services
from axcore.interfaces.soap import dispatch, names, xmlio
from axcore.model.accounts import Role
from axcore.model.intercom import SipSettings

SPACE = soap.NAMESPACES[0]
FORMS = ("json", "simple", "soap")
INVALID = ["env:Sender", "ter:InvalidArgVal", "ter:InvalidArgVal"]
MISSING = ["env:Sender", "ter:InvalidArgs"]
ABSENT = ["env:Sender", "ter:InvalidArgVal", "ter:NotFound"]
NOT_NOW = ["env:Receiver", "ter:Action", "ter:Failure"]
UNSUPPORTED = ["env:Receiver", "ter:ActionNotSupported", "ter:NotSupported"]


class SoapRequest(FakeRequest):
    """A request with headers."""

    headers: ClassVar = {"Content-Type": "application/soap+xml; charset=utf-8"}


def new_bench() -> IntercomBench:
    """A door station whose SIP is on."""
    found = IntercomBench()
    found.controller = None  # type: ignore[attr-defined]
    return found


async def by_json(bench: IntercomBench, method: str, args: Any, role: Role = Role.ADMIN) -> tuple[int, Any]:
    body = msgspec.json.encode({f"axcall:{method}": args})
    answer = await vapix.serve(FakeRequest("", body=body, role=role), bench)  # type: ignore[arg-type]
    return answer.status, msgspec.json.decode(answer.body)  # type: ignore[arg-type]


async def by_simple(
    bench: IntercomBench, method: str, role: Role = Role.ADMIN, *, get: bool = True, **args: str
) -> tuple[int, list[str]]:
    head, text = {"format": "simple", "action": f"axcall:{method}"}, urlencode(args)
    query = urlencode({**head, **args}) if get else urlencode(head)
    request = FakeRequest(query, body=b"" if get else text.encode(), role=role)
    request.method = "GET" if get else "POST"
    answer = await vapix.serve(request, bench)  # type: ignore[arg-type]
    assert answer.content_type == "text/plain"
    assert answer.text is not None
    return answer.status, answer.text.splitlines()


async def by_soap(
    bench: IntercomBench, method: str, content: str = "", space: str = SPACE, role: Role = Role.ADMIN
) -> tuple[int, xmlio.Element]:
    body = (
        f'<s:Envelope xmlns:s="{names.SOAP12}" xmlns:axcall="{space}"><s:Body>'
        f"<axcall:{method}>{content}</axcall:{method}></s:Body></s:Envelope>"
    )
    request = SoapRequest("", body=body.encode(), role=role)
    answer = await dispatch.serve(services.table(bench), request, bench)  # type: ignore[arg-type]
    return answer.status, xmlio.parse(answer.body).children[-1].children[0]


def fault_codes(fault: xmlio.Element) -> list[str | None]:
    """Code and subcodes, outermost first."""
    found, at = [], fault.first("Code")
    while at is not None:
        found.append(at.value("Value"))
        at = at.first("Subcode")
    return found


async def ask(bench: IntercomBench, form: str, method: str, args: dict[str, Any]) -> tuple[int, Any]:
    """The same arguments in a form: ``json``, ``simple`` (answered by values by name) or ``soap`` (by an element, or by
    the codes of a fault)."""
    if form == "json":
        return await by_json(bench, method, args)
    if form == "simple":
        fields = dict(parse_qsl("&".join(simple.write(args).splitlines()), keep_blank_values=True))
        status, lines = await by_simple(bench, method, **fields)
        return status, dict(parse_urlencoded("&".join(lines)).fields)
    content = "".join(soap.answer(name, value) for name, value in args.items())
    status, found = await by_soap(bench, method, content)
    return status, fault_codes(found) if status == 400 else found


def codes_of(form: str, answer: Any) -> list[str]:
    """Fault and its codes, as ``ask`` has them."""
    if form == "soap":
        return [each.replace("SOAP-ENV:", "env:") for each in answer]
    told = [answer[name] for name in ("Fault", "FaultCode", "FaultSubCode")]
    return [each.strip('"') for each in told if each not in (None, "null")]


async def ok(bench: IntercomBench, method: str, **args: Any) -> Any:
    status, found = await by_json(bench, method, args)
    assert status == 200, found
    return found


async def refused(bench: IntercomBench, method: str, field: str, codes: list[str] = INVALID, **args: Any) -> None:
    """A fault of these codes that begins with the field; nothing was changed."""
    before = bench.ledger.store.records()
    status, found = await by_json(bench, method, args)
    assert (status, codes_of("json", found)) == (400, codes), found
    assert found["FaultReason"].startswith(f"{field}: ")
    assert bench.ledger.store.records() == before


async def make(bench: IntercomBench, **more: Any) -> str:
    """A new account; its id."""
    return str((await ok(bench, "SetSIPAccount", SIPAccount=more))["SIPAccountId"])


async def configured(bench: IntercomBench) -> dict[str, Any]:
    found: dict[str, Any] = (await ok(bench, "GetSIPConfiguration"))["SIPConfiguration"]
    return found


async def configure(bench: IntercomBench, keep: bool | None = None, **fields: Any) -> SipSettings:
    args = {"SIPConfiguration": fields} | ({} if keep is None else {"KeepCurrent": keep})
    assert await ok(bench, "SetSIPConfiguration", **args) == {}
    return bench.intercom.accounts.settings


def attributes(found: dict[str, Any]) -> dict[str, str]:
    return {one["Name"]: one["Value"] for one in found["Attribute"]}
