"""REFER inside a call (RFC 3515): what a peer asks for is read here, and decided on by the device.

PJSIP would make the new call by itself, with no sound of the device. So the request is answered before PJSIP looks at
it, in the callback that comes first: 202, and the device, whose call it is, is told (``Referred``). How it goes is told
to the peer in NOTIFY requests. What can be seen here to be wrong is refused at once: 400 (no address), 403 (the device
itself), 603 (not allowed, or one is under way). Owner thread only.
"""

from __future__ import annotations

import ctypes
import ipaddress
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import unquote

import pjsua2 as pj

from axcore.errors import InputError
from axcore.model.sip import SipUri, parse_uri
from axcore.model.voice import Referred, Refused

from . import message
from .build import library

if TYPE_CHECKING:
    from .call import Leg

NS: Final = 1_000_000_000
EXPIRES_S: Final = 660
"""More than the longest attempt to call somebody."""
MOST_REPLACES: Final = 256
ACCEPTED, BAD_REQUEST, FORBIDDEN, FAILED, DECLINED = 202, 400, 403, 500, 603
SIP_PORT, SIPS_PORT = 5060, 5061
_NAME_ADDR: Final = re.compile(r'(?:"(?:[^"\\]|\\.)*"\s*|[^<>"]*)<([^<>]*)>\s*(?:;[^<>]*)?', re.DOTALL)
_TOKEN: Final = r"[\w.!%*+`'~-]+"
_WORD: Final = r"[\w.!%*+`'~()<>:\\\"/\[\]?{}-]+"
_REPLACES: Final = re.compile(rf"{_WORD}(?:@{_WORD})?(?:;{_TOKEN}(?:={_TOKEN})?)+", re.ASCII)
_REASONS: Final = {100: "Trying", 180: "Ringing", 200: "OK", 403: "Forbidden", 404: "Not Found", 486: "Busy Here",
                   408: "Request Timeout", 480: "Temporarily Unavailable", 503: "Service Unavailable",
                   603: "Decline"}  # fmt: skip


class Order(NamedTuple):
    """What a REFER asks for."""

    uri: SipUri
    replaces: str = ""
    number: str = "0"
    """Its CSeq, by which its NOTIFY requests are known (RFC 3515 section 2.4.6)."""


def order_of(text: str) -> Order:
    """What a REFER asks for. InputError (``Refer-To``, ``message``): there is not one address of somebody to call.

    Of the headers in the address only Replaces counts; the others are not for strangers to choose (RFC 3261 section
    19.1.5).
    """
    found = message.parse(text.partition("\r\n\r\n")[0].encode("utf-8", "surrogateescape"))
    values = found.all("refer-to")
    if len(values) != 1:
        raise InputError("Refer-To", f"is there {len(values)} times, which must be once")
    angled = _NAME_ADDR.fullmatch(values[0])
    address, _, headers = (angled[1].strip() if angled else values[0].partition(";")[0].strip()).partition("?")
    head, *params = address.split(";")
    for one in params:
        name, _, value = one.partition("=")
        if name.lower() == "method" and value.upper() != "INVITE":
            raise InputError("Refer-To", f"wants a {value[:20]!r}: only calls are made")
    kept = ";".join([head, *(one for one in params if one.partition("=")[0].lower() != "method")])
    replaces = ""
    for one in headers.split("&"):
        name, _, value = one.partition("=")
        if name.lower() == "replaces":
            replaces = unquote(value, errors="replace")
            tags = {part.partition("=")[0].lower() for part in replaces.split(";")[1:]}
            known = len(replaces) <= MOST_REPLACES and _REPLACES.fullmatch(replaces)
            if not known or not {"to-tag", "from-tag"} <= tags:
                raise InputError("Refer-To", "has a Replaces that names no dialogue")
    return Order(parse_uri(kept, "Refer-To"), replaces, found.first("cseq").partition(" ")[0])


class Tally:
    """Refusals, told one by one, or as a number where there are many."""

    def __init__(self) -> None:
        self._told_ns = -NS
        self._waiting: Refused | None = None

    def add(self, code: int, detail: str) -> None:
        """Something was refused."""
        count = 1 if self._waiting is None else self._waiting.count + 1
        self._waiting = Refused(what="transfer", detail=detail, code=code, count=count)

    def due(self, now_ns: int) -> Refused | None:
        """What is to be told now: at most once a second."""
        waiting = self._waiting
        if waiting is None or now_ns - self._told_ns < NS:
            return None
        self._told_ns, self._waiting = now_ns, None
        return waiting


class Transfer:
    """What the peer of one leg asks for."""

    def __init__(self, leg: Leg) -> None:
        self._leg = leg
        self._order: Order | None = None
        """That is under way."""
        self.code = DECLINED
        """What PJSIP is to answer to the REFER that it is about to look at."""

    def asked(self, received: Any) -> None:
        """A REFER has come (``SipRxData``), and nobody has answered it."""
        text = str(received.wholeMsg)
        self.code, detail = DECLINED, ""
        try:
            order = order_of(text)
        except InputError as error:
            self.code, detail = BAD_REQUEST, str(error)
        else:
            self.code, detail = self._refusal(order)
            if not self.code:
                self.code = ACCEPTED if _respond(int(received.pjRxData), ACCEPTED) else FAILED
        if self.code != ACCEPTED:
            self._leg.stack.tally.add(self.code, f"{self._leg.name}: {detail or 'it could not be answered'}"[:200])
            return
        self._order = order
        self._leg.stack.later(lambda: self._begin(order))

    def _begin(self, order: Order) -> None:
        """Outside of callbacks."""
        self.tell(100)
        uri = str(order.uri)
        self._leg.stack.link.send(Referred(leg=self._leg.name, uri=uri, replaces=order.replaces))

    def _refusal(self, order: Order) -> tuple[int, str]:
        """Status and reason; 0 = none."""
        leg, to = self._leg, str(order.uri)[:120]
        if not leg.stack.config.allow_refer:
            return DECLINED, f"to {to}"
        if self._order is not None:
            return DECLINED, f"to {to}, while another one is under way"
        if leg.getInfo().state != pj.PJSIP_INV_STATE_CONFIRMED:
            return DECLINED, f"to {to}, before the call is answered"
        if leg.stack.is_own(order.uri):
            return FORBIDDEN, f"to {to}, which is this device"
        return 0, ""

    def tell(self, code: int) -> None:
        """NOTIFY (RFC 3515 section 2.4.4): a status line; from 200 on it ends the subscription."""
        order = self._order
        if order is None:
            return
        final = code >= 200
        state = "terminated;reason=noresource" if final else f"active;expires={EXPIRES_S}"
        request = pj.CallSendRequestParam()
        request.method = "NOTIFY"
        headers = pj.SipHeaderVector()
        for name, value in (("Event", f"refer;id={order.number}"), ("Subscription-State", state)):
            headers.append(header(name, value))
        request.txOption.headers = headers
        request.txOption.contentType = "message/sipfrag;version=2.0"
        request.txOption.msgBody = f"SIP/2.0 {code} {_REASONS.get(code, 'Progress' if not final else 'Failed')}\r\n"
        if final:
            self._order = None
        self._leg.attempt(self._leg.sendRequest, request)


def header(name: str, value: str) -> Any:
    """One that PJSIP is to send."""
    made = pj.SipHeader()
    made.hName, made.hValue = name, value
    return made


def is_own(uri: SipUri, ports: tuple[int, ...], own_address: str) -> bool:
    """Whether an address is this device's: ``own_address`` is the one that it has towards that host."""
    try:
        host = ipaddress.ip_address(uri.host)
    except ValueError:
        return False  # a call by name that comes back to the device finds it busy
    port = uri.port or (SIPS_PORT if uri.secure or "transport=tls" in uri.params.lower() else SIP_PORT)
    return port in ports and (host.is_unspecified or str(host) == own_address)


def _respond(received: int, code: int) -> bool:
    """Answer a request inside a dialogue, in the callback that tells of it."""
    lib = library()
    if lib is None or not hasattr(lib, "pjsip_dlg_respond") or not hasattr(lib, "pjsip_rdata_get_dlg"):
        return False
    lib.pjsip_rdata_get_dlg.restype = ctypes.c_void_p
    dialogue = lib.pjsip_rdata_get_dlg(ctypes.c_void_p(received))
    if not dialogue:
        return False
    answer = lib.pjsip_dlg_respond
    return int(answer(ctypes.c_void_p(dialogue), ctypes.c_void_p(received), code, None, None, None)) == 0
