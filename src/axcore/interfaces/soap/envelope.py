"""Envelopes: SOAP 1.2 (W3C, part 1) and 1.1, requests in, answers and faults out.

A fault has a code (``Sender``, ``Receiver``, ...), subcodes of ONVIF (``ter:...``), a reason in English and, where the
service declares one, a detail element that names it. HTTP status: 400 for whatever the request caused, 500 for what
the device cannot do now; SOAP 1.1 knows only 500.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from axcore.errors import AxError

from . import names
from .xmlio import EMPTY, Element, Xml, XmlError, join, parse, tag, text

CONTENT_TYPES: Final = ("application/soap+xml", "text/xml", "application/xml", "text/plain", "application/octet-stream")
"""Accepted; the last two because client libraries send them."""
_ACTION: Final = re.compile(r"""(?:^|;)\s*action\s*=\s*(?:"([^"]*)"|([^\s;"]+))""", re.IGNORECASE)
_CHARSET: Final = re.compile(r"""(?:^|;)\s*charset\s*=\s*"?([^\s;"]+)""", re.IGNORECASE)
_UNDERSTOOD: Final = {names.WSA, names.WSSE, names.DOM0}
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'


class Fault(AxError):  # noqa: N818 - its name in SOAP
    """Ends a call. ``subcodes`` have a declared prefix, outermost first; ``detail`` is the name of an element."""

    def __init__(
        self,
        reason: str,
        *subcodes: str,
        code: str = "Sender",
        detail: str = "",
        content: Xml = EMPTY,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.subcodes = subcodes
        self.code = code
        self.detail = detail
        self.content = content


def invalid(reason: str, *more: str, detail: str = "") -> Fault:
    """An argument is not acceptable (``ter:InvalidArgVal``)."""
    return Fault(reason, "ter:InvalidArgVal", *more, detail=detail)


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request, unwrapped."""

    version: str
    """Namespace of its envelope; the answer uses the same."""
    body: Element
    """The one element of its body."""
    headers: tuple[Element, ...] = ()
    action: str = ""

    def header(self, namespace: str, name: str) -> str:
        """Text of a header; empty if there is none."""
        for element in self.headers:
            if (element.namespace, element.name) == (namespace, name):
                return element.text.strip()
        return ""


def read(data: bytes, content_type: str = "", soap_action: str = "") -> Call:
    """Unwrap a request. ``content_type`` is the whole header value. Raises Fault."""
    _check_type(content_type)
    try:
        root = parse(data)
        return _unwrap(root, _action(content_type, soap_action))
    except XmlError as error:
        raise Fault(error.reason, "ter:WellFormed") from None


def _check_type(content_type: str) -> None:
    kind = content_type.partition(";")[0].strip().lower()
    if kind and kind not in CONTENT_TYPES:
        raise Fault("the content type must be application/soap+xml", "ter:WellFormed")
    charset = _CHARSET.search(content_type)
    if charset is not None and charset[1].lower() not in ("utf-8", "utf8", "us-ascii"):
        raise Fault("the character set must be UTF-8", "ter:WellFormed")


def _action(content_type: str, soap_action: str) -> str:
    found = _ACTION.search(content_type)
    if found is not None:
        return found[1] or found[2] or ""
    return soap_action.strip().strip('"')


def _unwrap(root: Element, action: str) -> Call:
    if root.name != "Envelope":
        raise Fault("the document is not a SOAP envelope", "ter:WellFormed")
    if root.namespace not in (names.SOAP12, names.SOAP11):
        raise Fault("only SOAP 1.2 and 1.1 are spoken here", code="VersionMismatch")
    version = root.namespace
    parts = [child.name for child in root]
    if any(child.namespace != version for child in root) or parts not in (["Body"], ["Header", "Body"]):
        raise Fault("an envelope holds one Header at most and then one Body", "ter:WellFormed")
    headers = tuple(root.children[0]) if len(parts) == 2 else ()
    body = list(root.children[-1])
    if len(body) != 1:
        raise Fault(f"the body must hold one element, not {len(body)}", "ter:WellFormed")
    for header in headers:
        must = header.attributes.get(f"{{{version}}}mustUnderstand", "0").strip()
        if must in ("1", "true") and header.namespace not in _UNDERSTOOD:
            raise Fault(f"the header {header.name} is not understood", code="MustUnderstand")
    return Call(version=version, body=body[0], headers=headers, action=action)


# --- answers -------------------------------------------------------------------------------------------------------


def content_type(version: str) -> str:
    """Value of the Content-Type header."""
    return ("text/xml" if version == names.SOAP11 else "application/soap+xml") + "; charset=utf-8"


def status(fault: Fault, version: str) -> int:
    """HTTP status of a fault."""
    return 500 if version == names.SOAP11 or fault.subcodes == ("ter:Action",) else 400


def reply(version: str, body: Xml, headers: Xml = EMPTY) -> bytes:
    """An answer."""
    declared = {"SOAP-ENV": version, **names.PREFIXES}
    spaces = "".join([f' xmlns:{prefix}="{uri}"' for prefix, uri in declared.items()])
    head = tag("SOAP-ENV:Header", headers) if headers else EMPTY
    inner = f"{head}<SOAP-ENV:Body>{body}</SOAP-ENV:Body>"
    return f"{_HEAD}<SOAP-ENV:Envelope{spaces}>{inner}</SOAP-ENV:Envelope>\n".encode()


def fault_reply(version: str, fault: Fault, headers: Xml = EMPTY) -> bytes:
    """A fault."""
    return reply(version, _fault11(fault) if version == names.SOAP11 else _fault12(fault), headers)


def _fault12(fault: Fault) -> Xml:
    subcode = EMPTY
    for name in reversed(fault.subcodes):
        subcode = tag("SOAP-ENV:Subcode", tag("SOAP-ENV:Value", name), subcode)
    detail = tag("SOAP-ENV:Detail", tag(fault.detail, fault.content)) if fault.detail else EMPTY
    return tag(
        "SOAP-ENV:Fault",
        tag("SOAP-ENV:Code", tag("SOAP-ENV:Value", f"SOAP-ENV:{fault.code}"), subcode),
        tag("SOAP-ENV:Reason", Xml(f'<SOAP-ENV:Text xml:lang="en">{text(fault.reason)}</SOAP-ENV:Text>')),
        detail,
    )


def _fault11(fault: Fault) -> Xml:
    code = {"Sender": "Client", "Receiver": "Server"}.get(fault.code, fault.code)
    subcodes = join([tag("axcore:Subcode", name) for name in fault.subcodes])
    named = tag(fault.detail, fault.content) if fault.detail else EMPTY
    detail = Xml(f"<detail>{subcodes}{named}</detail>") if subcodes or named else EMPTY
    return tag("SOAP-ENV:Fault", tag("faultcode", f"SOAP-ENV:{code}"), tag("faultstring", fault.reason), detail)


def http_fault(status: int, reason: str) -> bytes:
    """What the HTTP server refuses (no login, not allowed, too large), as a fault."""
    subcodes = {401: ("ter:NotAuthorized",), 403: ("ter:NotAuthorized",), 404: ("ter:InvalidArgVal",)}.get(status, ())
    code = "Receiver" if status >= 500 else "Sender"
    return fault_reply(names.SOAP12, Fault(reason, *subcodes, code=code))


def addressing(call: Call) -> Xml:
    """The WS-Addressing headers of an answer: to whom it relates, if the request was numbered."""
    message = call.header(names.WSA, "MessageID")
    return tag("wsa:RelatesTo", message) if message else EMPTY
