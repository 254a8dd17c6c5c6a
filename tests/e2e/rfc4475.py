"""The 49 torture messages of RFC 4475, built by hand from what its sections say that each is about.

Names and texts are our own; addresses are those of the test, so that an answer finds its way back. ``Torture.codes``
are the answers that an endpoint without a registrar may give after RFC 3261; ``silent``: it may also say nothing,
because the message is damaged so that a receiver may drop it, or because it is a response that nobody waits for.

Where PJSIP is not what the RFC asks for, that is said: it drops ``longreq`` (an address of more than 256 octets),
``regaut01`` (an unknown scheme is a syntax error to it), ``badvers``, ``unkscm`` and ``novelsc`` (505 and 416 would be
kinder), and answers ``mismatch01`` and ``bext01``, where 400 and 420 are due.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sip_peers import unique

CALLED = frozenset({200, 404, 406, 480, 486, 488, 603})
"""What somebody who calls may hear."""
UNKNOWN = frozenset({405, 501})
REGISTER = frozenset({403, 404, 405, 501})
"""It is no registrar."""
BAD = frozenset({400})


@dataclass(frozen=True)
class Torture:
    """A message of RFC 4475."""

    name: str
    """Of its file in the RFC's archive."""
    section: str
    data: bytes
    call: str
    """Its Call-ID, as an answer has it."""
    codes: frozenset[int] = frozenset()
    silent: bool = False


class Builder:
    """Makes messages for ``device`` (``host:port``) that come from ``us``."""

    def __init__(self, device: str, us: str) -> None:
        self.device, self.us = device, us
        self._call = ""

    def begin(self, name: str) -> str:
        """A new Call-ID."""
        self._call = unique(f"{name}.")
        return self._call

    @property
    def via(self) -> str:
        """The Via header that brings the answer back."""
        return f"Via: SIP/2.0/UDP {self.us};rport;branch={unique('z9hG4bK')}"

    def lines(self, method: str, *, uri: str = "", cseq: str = "", without: tuple[str, ...] = ()) -> dict[str, str]:
        """The ordinary headers of a request, by name, first the start line."""
        found = {
            "start": f"{method} {uri or f'sip:door@{self.device}'} SIP/2.0",
            "via": self.via,
            "max": "Max-Forwards: 70",
            "from": f"From: <sip:caller@{self.us}>;tag={unique('f')}",
            "to": f"To: <sip:door@{self.device}>",
            "call": f"Call-ID: {self._call}",
            "cseq": f"CSeq: {cseq or f'8 {method}'}",
            "contact": f"Contact: <sip:caller@{self.us}>",
            "length": "Content-Length: 0",
        }
        return {name: line for name, line in found.items() if name not in without}

    def offer(self) -> str:
        """A description with one audio and one video stream."""
        host = self.us.rpartition(":")[0]
        return f"v=0\r\no=m 29739 7272939 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n" + (
            "m=audio 49217 RTP/AVP 0 12\r\nm=video 3227 RTP/AVP 31\r\na=rtpmap:31 LPC\r\n"
        )

    def invite(self, **changed: str) -> dict[str, str]:
        """An INVITE with a description."""
        body = self.offer()
        found = self.lines("INVITE") | {
            "type": "Content-Type: application/sdp",
            "length": f"Content-Length: {len(body)}",
        }
        return {**found, **changed, "": body}

    def torture(
        self,
        name: str,
        section: str,
        data: bytes | dict[str, str],
        codes: frozenset[int] = frozenset(),
        *,
        silent: bool = False,
    ) -> Torture:
        """The message that was begun."""
        return Torture(name, section, text(data) if isinstance(data, dict) else data, self._call, codes, silent)


def text(lines: dict[str, str]) -> bytes:
    """The message of these headers; the item without a name is its body."""
    body = lines.pop("", "")
    return ("\r\n".join(lines.values()) + "\r\n\r\n" + body).encode()


def valid_1(make: Builder) -> Iterator[Torture]:
    device, us = make.device, make.us
    call = make.begin("wsinv")
    body = make.offer()
    folded = (
        f"INVITE sip:door@{device};unknownparam SIP/2.0\r\n"
        f"TO :\r\n sip:door@{device} ;   tag    = 1918181833n\r\n"
        f'from   : "J R \\\\\\""       <sip:caller@{us}>\r\n  ;\r\n  tag = 98asjd8\r\n'
        f"MaX-fOrWaRdS: 0068\r\nCall-ID: {call}\r\nContent-Length   : {len(body)}\r\n"
        f"cseq: 0009\r\n  INVITE\r\nVia  : SIP  /   2.0\r\n /UDP\r\n    {us};rport;branch=390skdjuw\r\n"
        "s :\r\nNewFangledHeader:   newfangled value\r\n continued newfangled value\r\n"
        "UnknownHeaderWithUnusualValue: ;;,,;;,;\r\nContent-Type: application/sdp\r\n"
        f"Route:\r\n <sip:{device};lr;unknownwith=value;unknown-no-value>\r\n"
        "v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n"
        " SIP  /    2.0   / UDP  192.0.2.111   ; branch=\r\n z9hG4bK30239\r\n"
        f'm:"Quoted string \\"\\"" <sip:caller@{us}> ; newparam =\r\n'
        "      newvalue ;\r\n  secondparam ; q = 0.33\r\n\r\n"
    )
    yield make.torture("wsinv", "3.1.1.1", (folded + body).encode(), CALLED | {481})

    make.begin("intmeth")
    method = "!interesting-Method0123456789_*+`.%indeed'~"
    odd = f"sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@{device}"
    lines = make.lines(method, uri=odd, cseq=f"139122385 {method}")
    lines |= {
        "via": f"Via: SIP/2.0/UDP {us};rport;branch=z9hG4bK-.!%66*_+`'~",
        "max": "Max-Forwards: 255",
        "to": f'To: "BEL:\\\x07 NUL:\\\x00 DEL:\\\x7f" <{odd}>',
        "from": f"From: token1~` token2'+_ token3*%!.- <sip:mundane@{us}>;fromParam''~+*_!.-%=\"работающий\""
        ";tag=_token~1'+`*%!-.",
        "call": f"Call-ID: {make.begin('intmeth')}%ZK-!.*_+'@word`~)(><:\\/\"][?}}{{",
        "extra": "extensionHeader-!.%*+_`'~:\ufeff大停電",
    }
    del lines["contact"]
    found = make.torture("intmeth", "3.1.1.2", lines, UNKNOWN | {400}, silent=True)
    yield found

    make.begin("esc01")
    invite = make.invite(start=f"INVITE sip:sips%3Adoor%40example.com@{device} SIP/2.0")
    invite["to"] = f"To: sip:%75se%72@{device}"
    invite["contact"] = f"Contact: <sip:cal%6Cer@{us};n%61me=v%61lue%25%34%31>"
    yield make.torture("esc01", "3.1.1.3", invite, CALLED)


def valid_2(make: Builder) -> Iterator[Torture]:
    device, us = make.device, make.us
    make.begin("escnull")
    lines = make.lines("REGISTER", uri=f"sip:{device}")
    lines["from"], lines["to"] = f"From: sip:null-%00-null@{us};tag=839923423", f"To: sip:null-%00-null@{device}"
    lines["contact"] = f"Contact: <sip:%00@{us}>\r\nContact: <sip:%00%00@{us}>"
    yield make.torture("escnull", "3.1.1.4", lines, REGISTER)

    make.begin("esc02")
    method = "RE%47IST%45R"
    lines = make.lines(method, uri=f"sip:registrar@{device}")
    lines["to"] = f'To: "%Z%45" <sip:resource@{device}>'
    lines["contact"] = f"Contact: <sip:alias1@{us}>\r\nContact: <sip:alias2@{us}>"
    yield make.torture("esc02", "3.1.1.5", lines, UNKNOWN)

    make.begin("lwsdisp")
    lines = make.lines("OPTIONS")
    lines["from"] = f"From: caller<sip:caller@{us}>;tag=323"
    yield make.torture("lwsdisp", "3.1.1.6", lines, frozenset({200}))

    call = make.begin("longreq")
    long = "I have a user name of " + " ".join(["extreme"] + ["proportion"] * 20)
    name = "long" * 10
    invite = make.invite(start=f"INVITE sip:door@{device} SIP/2.0")
    invite |= {
        "to": f'To: "{long}" <sip:door@{device}:6000;unknownparam1=very{name};longparam{name}=short;very{name}>',
        "from": f"F: sip:caller@{us};tag=12982{'982' * 40}424;unknownheaderparam{name}=x;unknownValueless{name}",
        "call": f"Call-ID: {call}.really{name}@{us}",
        "unknown": f"Unknown-{name}: unknown-{name}-value; unknown-{name}-parameter-name = x",
        "vias": "".join(f"Via: SIP/2.0/TCP sip{n}.example.com;branch=z9hG4bK{n}\r\n" for n in range(33, 0, -1))
        + f"v: SIP/2.0/TCP host.example.com;received=192.0.2.5;branch=very{name}branchvalue",
        "contact": f"Contact: <sip:caller@{us}>;unknown{name}={name}",
    }
    yield Torture("longreq", "3.1.1.7", text(invite), f"{call}.really{name}@{us}", CALLED | {482, 513}, silent=True)

    make.begin("dblreq")
    first = text(make.lines("REGISTER", uri=f"sip:{device}"))
    found = make.torture("dblreq", "3.1.1.8", first, REGISTER)
    make.begin("dblreq2")
    yield Torture("dblreq", "3.1.1.8", first + text(make.invite()), found.call, REGISTER)

    make.begin("semiuri")
    lines = make.lines("OPTIONS", uri=f"sip:user;par=u%40example.net@{device}")
    lines["accept"] = "Accept: application/sdp, application/pkcs7-mime, multipart/mixed, message/sip, text/*"
    yield make.torture("semiuri", "3.1.1.9", lines, frozenset({200}))


def valid_3(make: Builder) -> Iterator[Torture]:
    make.begin("transports")
    lines = make.lines("OPTIONS")
    lines["vias"] = "\r\n".join(
        f"Via: SIP/2.0/{name} t{n}.example.com;branch=z9hG4bKb{n}"
        for n, name in enumerate(("SCTP", "TLS", "UNKNOWN", "TCP"))
    )
    yield make.torture("transports", "3.1.1.10", lines, frozenset({200}))

    make.begin("mpart01")
    part = b"--7a9cbec02ceef655\r\nContent-Type: text/plain\r\n\r\nHello\r\n--7a9cbec02ceef655\r\n"
    part += b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    part += bytes(range(256)) + b"\r\n--7a9cbec02ceef655--\r\n"
    lines = make.lines("MESSAGE")
    lines |= {
        "type": "Content-Type: multipart/mixed;boundary=7a9cbec02ceef655",
        "mime": "MIME-Version: 1.0",
        "length": f"Content-Length: {len(part)}",
    }
    yield make.torture("mpart01", "3.1.1.11", text(lines) + part, frozenset({200, 202, 405, 415, 501}))

    for name, reason, section in (("unreason", "= 2**3 * 5**2 но сто девяносто девять", "12"), ("noreason", "", "13")):
        make.begin(name)
        lines = make.lines("INVITE") | {"start": f"SIP/2.0 {'200' if reason else '100'} {reason}"}
        yield make.torture(name, f"3.1.1.{section}", lines, silent=True)


def invalid_1(make: Builder) -> Iterator[Torture]:
    device, us = make.device, make.us
    make.begin("badinv01")
    invite = make.invite()
    invite["to"] += ";;,,;"
    invite["contact"] = 'Contact: "" <> ;;,'
    yield make.torture("badinv01", "3.1.2.1", invite, BAD, silent=True)

    make.begin("clerr")
    invite = make.invite(length="Content-Length: 9999")
    yield make.torture("clerr", "3.1.2.2", invite, BAD | CALLED, silent=True)

    make.begin("ncl")
    yield make.torture("ncl", "3.1.2.3", make.invite(length="Content-Length: -999"), BAD | CALLED, silent=True)

    make.begin("scalar02")
    lines = make.lines("REGISTER", cseq="36893488147419103232 REGISTER")
    lines |= {
        "max": "Max-Forwards: 300",
        "expires": "Expires: 10000000000000000000000000000000000000",
        "contact": f"Contact: <sip:caller@{us};expires=280297596632815>;expires=10000000000000000",
    }
    yield make.torture("scalar02", "3.1.2.4", lines, BAD | REGISTER, silent=True)

    make.begin("scalarlg")
    lines = make.lines("INVITE", cseq="9292394834772304023312 OPTIONS")
    lines |= {
        "start": "SIP/2.0 503 Service Unavailable",
        "retry": "Retry-After: 949302838503028349304023988",
        "warning": 'Warning: 1812 overture "In Progress"',
    }
    yield make.torture("scalarlg", "3.1.2.5", lines, silent=True)

    make.begin("quotbal")
    yield make.torture("quotbal", "3.1.2.6", make.invite(to=f'To: "Mr. Door <sip:door@{device}>'), BAD, silent=True)

    make.begin("ltgtruri")
    invite = make.invite(start=f"INVITE <sip:door@{device}> SIP/2.0")
    yield make.torture("ltgtruri", "3.1.2.7", invite, BAD, silent=True)

    make.begin("lwsruri")
    invite = make.invite(start=f"INVITE sip:door@{device}; lr SIP/2.0")
    yield make.torture("lwsruri", "3.1.2.8", invite, BAD, silent=True)


def invalid_2(make: Builder) -> Iterator[Torture]:
    device, us = make.device, make.us
    make.begin("lwsstart")
    invite = make.invite(start=f"INVITE  sip:door@{device}  SIP/2.0")
    yield make.torture("lwsstart", "3.1.2.9", invite, BAD | CALLED, silent=True)

    make.begin("trws")
    lines = make.lines("OPTIONS")
    lines["start"] += "  "
    yield make.torture("trws", "3.1.2.10", lines, BAD | {200}, silent=True)

    make.begin("escruri")
    invite = make.invite(start=f"INVITE sip:door@{device}?Route=%3Csip:{device}%3E SIP/2.0")
    yield make.torture("escruri", "3.1.2.11", invite, BAD | CALLED, silent=True)

    make.begin("baddate")
    yield make.torture("baddate", "3.1.2.12", make.invite(date="Date: Fri, 01 Jan 2010 16:00:00 EST"), BAD | CALLED)

    make.begin("regbadct")
    lines = make.lines("REGISTER")
    lines["contact"] = f"Contact: sip:caller@{us}?Route=%3Csip:sip.example.com%3E"
    yield make.torture("regbadct", "3.1.2.13", lines, BAD | REGISTER, silent=True)

    make.begin("badaspec")
    lines = make.lines("OPTIONS")
    lines["to"] = f'To: "Watson, Thomas" < sip:door@{device} >'
    yield make.torture("badaspec", "3.1.2.14", lines, BAD | {200}, silent=True)

    make.begin("baddn")
    lines = make.lines("OPTIONS")
    lines["from"] = f"From: Bell, Alexander <sip:a.g.bell@{us}>;tag=43"
    yield make.torture("baddn", "3.1.2.15", lines, BAD | {200}, silent=True)

    make.begin("badvers")
    lines = make.lines("OPTIONS") | {"start": f"OPTIONS sip:door@{device} SIP/7.0"}
    yield make.torture("badvers", "3.1.2.16", lines, frozenset({505}), silent=True)

    make.begin("mismatch01")
    yield make.torture("mismatch01", "3.1.2.17", make.lines("OPTIONS", cseq="8 INVITE"), BAD | {200}, silent=True)

    make.begin("mismatch02")
    yield make.torture("mismatch02", "3.1.2.18", make.lines("NEWMETHOD", cseq="8 INVITE"), BAD | UNKNOWN, silent=True)


def invalid_3(make: Builder) -> Iterator[Torture]:
    make.begin("bigcode")
    lines = make.lines("OPTIONS") | {"start": "SIP/2.0 4294967301 better not break the receiver"}
    yield make.torture("bigcode", "3.1.2.19", lines, silent=True)


def application_1(make: Builder) -> Iterator[Torture]:
    device, us = make.device, make.us
    make.begin("badbranch")
    lines = make.lines("OPTIONS") | {"via": f"Via: SIP/2.0/UDP {us};rport;branch=z9hG4bK"}
    yield make.torture("badbranch", "3.2.1", lines, frozenset({200}))

    make.begin("insuf")
    yield make.torture("insuf", "3.3.1", make.lines("INVITE", without=("call", "from", "to")), BAD, silent=True)

    make.begin("unkscm")
    yield make.torture(
        "unkscm", "3.3.2", make.lines("OPTIONS", uri="nobodyKnowsThisScheme:totallyopaquecontent"),
        frozenset({200, 416}), silent=True,
    )  # fmt: skip

    make.begin("novelsc")
    yield make.torture(
        "novelsc",
        "3.3.3",
        make.lines("OPTIONS", uri="soap.beep://192.0.2.103:3002"),
        frozenset({200, 416}),
        silent=True,
    )

    make.begin("unksm2")
    lines = make.lines("REGISTER", uri=f"sip:{device}")
    lines |= {
        "to": "To: <isbn:2983792873>",
        "from": "From: <http://www.example.com>;tag=3234233",
        "contact": "Contact: <name:John_Smith>",
    }
    yield make.torture("unksm2", "3.3.4", lines, BAD | REGISTER | {416}, silent=True)

    make.begin("bext01")
    lines = make.lines("OPTIONS")
    lines["require"] = "Require: nothingSupportsThis, nothingSupportsThisEither\r\nProxy-Require: noProxiesSupportThis"
    yield make.torture("bext01", "3.3.5", lines, frozenset({200, 420}))


def application_2(make: Builder) -> Iterator[Torture]:
    device, us = make.device, make.us
    make.begin("invut")
    junk = '<audio>\r\n <pcmu port="443"/>\r\n</audio>\r\n'
    invite = make.invite(type="Content-Type: application/unknownformat", length=f"Content-Length: {len(junk)}")
    yield make.torture("invut", "3.3.6", invite | {"": junk}, frozenset({415}))

    make.begin("regaut01")
    lines = make.lines("REGISTER", uri=f"sip:{device}")
    lines["authorization"] = "Authorization: NoOneKnowsThisScheme opaque-data=here"
    yield make.torture("regaut01", "3.3.7", lines, REGISTER | {401}, silent=True)

    make.begin("multi01")
    invite = make.invite()
    for name, value in (("cseq", "CSeq: 59 INVITE"), ("call", "Call-ID: two"), ("to", "To: <sip:other@x>"),
                        ("from", "From: <sip:other@x>;tag=9"), ("max", "Max-Forwards: 5")):  # fmt: skip
        invite[name] += f"\r\n{value}"
    yield make.torture("multi01", "3.3.8", invite, BAD | CALLED, silent=True)

    make.begin("mcl01")
    lines = make.lines("OPTIONS")
    lines["length"] = "Content-Length: 13\r\nContent-Length: 5"
    yield make.torture(
        "mcl01", "3.3.9", text(lines) + b"There's no way to know how many octets are here.", BAD | {200}, silent=True
    )

    make.begin("bcast")
    lines = make.lines("INVITE") | {"start": "SIP/2.0 200 OK"}
    lines["via"] += "\r\nVia: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23"
    yield make.torture("bcast", "3.3.10", lines, silent=True)

    make.begin("zeromf")
    yield make.torture("zeromf", "3.3.11", make.lines("OPTIONS") | {"max": "Max-Forwards: 0"}, frozenset({200, 483}))

    for name, contact, section in (
        ("cparam01", f"sip:+19725552222@{us};unknownparam", "12"),
        ("cparam02", f"<sip:+19725552222@{us};unknownparam>", "13"),
        ("regescrt", f"<sip:caller@{us}?Route=%3Csip:sip.example.com%3E>", "14"),
    ):
        make.begin(name)
        lines = make.lines("REGISTER", uri=f"sip:{device}") | {"contact": f"Contact: {contact}"}
        yield make.torture(name, f"3.3.{section}", lines, REGISTER)

    make.begin("sdp01")
    yield make.torture("sdp01", "3.3.15", make.invite(accept="Accept: text/nobodyKnowsThis"), CALLED)


def application_3(make: Builder) -> Iterator[Torture]:
    us = make.us
    make.begin("inv2543")
    body = make.offer()
    lines = make.lines("INVITE", without=("max", "contact"))
    lines |= {
        "via": f"Via: SIP/2.0/UDP {us}",
        "from": f"From: <sip:caller@{us}>",
        "cseq": "CSeq: 8 INVITE",
        "type": "Content-Type: application/sdp",
        "length": f"Content-Length: {len(body)}",
    }
    yield make.torture("inv2543", "3.4.1", lines | {"": body}, CALLED | {400})


def messages(device: str, us: str) -> Iterator[Torture]:
    """All of them, in the RFC's order: 3.1.1 valid, 3.1.2 invalid, 3.2 to 3.4 transactions, applications, RFC 2543."""
    make = Builder(device, us)
    for part in (
        valid_1,
        valid_2,
        valid_3,
        invalid_1,
        invalid_2,
        invalid_3,
        application_1,
        application_2,
        application_3,
    ):
        yield from part(make)
