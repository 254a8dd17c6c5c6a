"""The local hop: what PJSIP sees and what peers see, message by message, without a socket."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axcore.errors import InputError
from axcore.voice import hop
from axcore.voice.hop import Place
from axcore.voice.message import MOST_BODY, MOST_HEAD, Framer, Message, parse

HOP, PJSIP, OWN, PEER = (
    Place("127.0.0.1", 40000),
    Place("127.0.0.1", 5060),
    Place("192.0.2.9", 5061),
    Place("192.0.2.1", 7000),
)
INVITE = """INVITE {uri} SIP/2.0
Via: SIP/2.0/TCP 127.0.0.1:5060;rport;branch=z9hG4bKone
Route: <sip:{key}@127.0.0.1:40000;transport=tcp;lr>
{route}Max-Forwards: 70
From: "Door" <sip:door@pbx.example>;tag=1
To: <sip:bob@pbx.example>
Contact: "Door, front" <sip:door@127.0.0.1:5060;transport=TCP;ob>;+sip.instance="x,y"
Call-ID: c
CSeq: 7 {method}
Content-Length: 3

abc"""


def message(text: str) -> Message:
    (found,), _ = Framer().feed(text.replace("\n", "\r\n").encode())
    return found


def invite(key: str = "1", uri: str = "sip:bob@pbx.example", route: str = "", method: str = "INVITE") -> Message:
    text = INVITE.format(key=key, uri=uri, route=f"Route: {route}\n" if route else "", method=method)
    return message(text.replace("INVITE", method, 1))


class TestOutward:
    def test_our_route_names_the_account_and_goes_no_further(self) -> None:
        request = invite("7", route="<sip:proxy.example;lr>")
        assert hop.key_of(request, HOP) == "7"
        assert request.all("route") == ["<sip:proxy.example;lr>"]
        assert hop.target_of(request) == Place("proxy.example", 0)

    def test_without_a_route_it_goes_where_it_is_for(self) -> None:
        request = invite(uri="sip:bob@[2001:db8::1]:5071;transport=tls")
        hop.key_of(request, HOP)
        assert hop.target_of(request) == Place("2001:db8::1", 5071)

    def test_a_register_needs_no_route_to_its_registrar(self) -> None:
        request = invite(uri="sip:pbx.example", route="<sip:pbx.example;lr>", method="REGISTER")
        hop.key_of(request, HOP)
        assert request.all("route") == []

    def test_the_peer_sees_the_device(self) -> None:
        request = invite()
        hop.key_of(request, HOP)
        branch = hop.outward(request, own=OWN, inner=PJSIP, secure=False)
        assert request.all("via")[0] == f"SIP/2.0/TLS 192.0.2.9:5061;rport;branch={branch}"
        assert request.all("contact") == [
            '"Door, front" <sip:door@192.0.2.9:5061;transport=tls;ob>;+sip.instance="x,y"'
        ]
        assert request.encode().endswith(b"Content-Length: 3\r\n\r\nabc")

    def test_cancel_and_ack_are_of_the_same_transaction(self) -> None:
        branches = {
            hop.outward(invite(method=method), own=OWN, inner=PJSIP, secure=False)
            for method in ("INVITE", "CANCEL", "ACK")
        }
        assert len(branches) == 1

    def test_sips_is_in_every_address(self) -> None:
        request = invite("1-s", route="<sip:proxy.example;lr>")
        assert hop.key_of(request, HOP) == "1-s"
        hop.outward(request, own=OWN, inner=PJSIP, secure=True)
        assert request.uri == "sips:bob@pbx.example"
        assert request.all("route") == ["<sips:proxy.example;lr>"]
        assert request.first("from") == '"Door" <sips:door@pbx.example>;tag=1'
        assert request.first("to") == "<sips:bob@pbx.example>"
        assert "<sips:door@192.0.2.9:5061" in request.first("contact")

    def test_the_answer_finds_back_and_brings_a_route_for_what_follows(self) -> None:
        request = invite()
        hop.key_of(request, HOP)
        branch = hop.outward(request, own=OWN, inner=PJSIP, secure=False)
        via = "\n".join(f"Via: {one}" for one in request.all("via"))
        answer = message(
            f"SIP/2.0 200 OK\n{via}\nRecord-Route: <sip:proxy.example;lr>\nFrom: <sip:a@b>;tag=1\n"
            "To: <sip:bob@pbx.example>;tag=2\nContact: <sips:bob@192.0.2.1:7000>\nCall-ID: c\nCSeq: 7 INVITE\nl: 0\n\n"
        )
        assert hop.answer_inward(answer, own=OWN, inner=PJSIP, hop=HOP, key="1") == branch
        assert answer.all("via") == ["SIP/2.0/TCP 127.0.0.1:5060;rport;branch=z9hG4bKone"]
        assert answer.all("record-route")[-1] == hop.route("1", HOP)  # the nearest one is the last one
        assert answer.first("contact") == "<sip:bob@192.0.2.1:7000>"

    def test_a_registrar_s_list_of_contacts_has_pjsip_s_own_again(self) -> None:
        answer = message(
            "SIP/2.0 200 OK\nVia: SIP/2.0/TLS h;branch=z9hG4bKax1\nVia: SIP/2.0/TCP i;branch=2\nFrom: <sip:a@b>;tag=1\n"
            "To: <sip:a@b>;tag=2\nContact: <sip:x@192.0.2.8:5061>;expires=9, <sip:door@192.0.2.9:5061;transport=tls;ob>"
            ";expires=300\nCall-ID: c\nCSeq: 7 REGISTER\nContent-Length: 0\n\n"
        )
        hop.answer_inward(answer, own=OWN, inner=PJSIP, hop=HOP, key="1")
        assert answer.all("contact") == [
            "<sip:x@192.0.2.8:5061>;expires=9",
            "<sip:door@127.0.0.1:5060;transport=TCP;ob>;expires=300",
        ]

    def test_a_response_that_is_not_ours_goes_nowhere(self) -> None:
        answer = message(
            "SIP/2.0 200 OK\nVia: SIP/2.0/TLS h;branch=z9hG4bKother\nVia: SIP/2.0/TCP i;branch=2\nFrom: <sip:a@b>\n"
            "To: <sip:a@b>\nCall-ID: c\nCSeq: 7 INVITE\nContent-Length: 0\n\n"
        )
        assert hop.answer_inward(answer, own=OWN, inner=PJSIP, hop=HOP, key="1") == ""

    def test_a_refusal_is_a_complete_response(self) -> None:
        answer = message(hop.refusal(invite(), 503, "TLS: x").encode().decode().replace("\r\n", "\n"))
        assert (answer.start, answer.first("cseq")) == ("SIP/2.0 503 TLS: x", "7 INVITE")
        assert "tag=" in answer.first("to")


class TestInward:
    REQUEST = (
        "INVITE {scheme}:door@192.0.2.9:5061 SIP/2.0\n"
        "Via: SIP/2.0/TLS 10.0.0.1:9;rport;branch=z9hG4bKp;received=1.1.1.1\nf: <sips:bob@b>;tag=1\n"
        "t: <sips:door@d>\ni: c\nCSeq: 1 INVITE\nm: <sips:bob@10.0.0.1:9>\nl: 0\n\n"
    )

    def test_pjsip_learns_who_it_is_and_answers_by_the_same_way(self) -> None:
        request = message(self.REQUEST.format(scheme="sips"))
        hop.inward(request, hop=HOP, peer=PEER, key="ax3")
        assert request.uri == "sip:door@192.0.2.9:5061"
        ours, theirs = request.all("via")
        assert theirs == "SIP/2.0/TLS 10.0.0.1:9;rport=7000;branch=z9hG4bKp;received=192.0.2.1"
        assert hop.mark_of(ours) == "ax3-s"
        assert request.first(hop.SOURCE) == "192.0.2.1:7000"
        assert request.first("record-route") == hop.route("ax3-s", HOP)
        assert request.first("contact") == "<sip:bob@10.0.0.1:9>"
        answer = message(
            f"SIP/2.0 200 OK\nVia: {ours}\nVia: {theirs}\nRecord-Route: {hop.route('ax3-s', HOP)}\n"
            "From: <sips:bob@b>;tag=1\nTo: <sips:door@d>;tag=2\n"
            "Contact: <sip:door@127.0.0.1:5060;transport=TCP>\nCall-ID: c\nCSeq: 1 INVITE\n"
            "Content-Length: 0\n\n"
        )
        assert hop.answer_outward(answer, own=OWN, inner=PJSIP, hop=HOP) == "ax3"
        assert (answer.all("via"), answer.all("record-route")) == ([theirs], [])
        assert answer.first("contact") == "<sips:door@192.0.2.9:5061;transport=tls>"

    def test_a_response_of_pjsip_s_that_is_for_nobody(self) -> None:
        answer = message(
            "SIP/2.0 200 OK\nVia: SIP/2.0/TCP 127.0.0.1:5060;branch=z9hG4bKx\nFrom: <sip:a@b>\nTo: <sip:a@b>\n"
            "Call-ID: c\nCSeq: 1 INVITE\nContent-Length: 0\n\n"
        )
        assert hop.answer_outward(answer, own=OWN, inner=PJSIP, hop=HOP) == ""


class TestFramer:
    def test_messages_in_any_pieces_with_keep_alives_between_them(self) -> None:
        stream = b"\r\n\r\n" + invite().encode() + b"\r\n\r\n" + invite("2").encode()
        for size in (1, 7, 1000):
            framer, found, pings = Framer(), [], 0
            for at in range(0, len(stream), size):
                messages, count = framer.feed(stream[at : at + size])
                found += messages
                pings += count
            assert [one.body for one in found] == [b"abc", b"abc"]
            assert framer.empty
            if size == 1000:
                assert pings == 2

    def test_a_folded_line_is_one_line(self) -> None:
        head = b"A sip:a SIP/2.0\r\nVia: x\r\nFrom: a\r\nTo: b\r\nCall-ID: c\r\nCSeq: 1 A\r\nSubject: one\r\n two"
        assert parse(head).all("subject") == ["one two"]

    @pytest.mark.parametrize(
        "head",
        [
            "GET / HTTP/1.1\r\nHost: x",
            "INVITE",
            " \r\n",
            "INVITE sip:a SIP/2.0\r\nVia",
            "INVITE sip:a SIP/2.0\r\n x",
            "INVITE sip:a SIP/2.0\r\nVia: x\r\nFrom: a\r\nTo: b\r\nCSeq: 1 INVITE",
            "INVITE sip:a SIP/2.0\r\nVia: x\r\nFrom: a\r\nTo: b\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\nX\0: y",
        ],
    )
    def test_what_is_no_message(self, head: str) -> None:
        with pytest.raises(InputError):
            Framer().feed(head.encode() + b"\r\n\r\n")

    @pytest.mark.parametrize("length", ["", "-1", "x", "²", str(MOST_BODY + 1), "9" * 5000, "0\r\nl: 0"])
    def test_lengths_that_cannot_be(self, length: str) -> None:
        head = "A sip:a SIP/2.0\r\nVia: x\r\nFrom: a\r\nTo: b\r\nCall-ID: c\r\nCSeq: 1 A\r\nContent-Length: "
        with pytest.raises(InputError):
            Framer().feed(f"{head}{length}\r\n\r\n".encode())

    def test_a_head_that_does_not_end(self) -> None:
        with pytest.raises(InputError):
            Framer().feed(b"x" * (MOST_HEAD + 1))


PIECES = st.sampled_from(
    [
        "Via: SIP/2.0/TLS h;branch=z9hG4bKax1",
        "Via: ,",
        "v: SIP/2.0/TCP [::1]:5060;ax=ax1-s;branch=b",
        "Route: <sip:1@[",
        "Route: sip:%zz@x:y",
        "Contact: *",
        "Contact: <sip:a@127.0.0.1:5060",
        'm: "a, <b" <sips:x@127.0.0.1:99999;a=b>',
        "From: <sip:a@b>;tag=1",
        "To: sips:b",
        "Record-Route: <sip:1@127.0.0.1:40000;lr>,,",
        "CSeq: INVITE",
        "Call-ID: c",
    ]
)


@given(
    st.sampled_from(["INVITE sips:a@b SIP/2.0", "REGISTER tel:1 SIP/2.0", "SIP/2.0 200 OK", "A  SIP/2.0"]),
    st.lists(PIECES | st.text(max_size=20).map(lambda text: f"X: {text}"), max_size=12),
)
def test_no_message_that_can_be_read_is_too_strange_for_the_hop(start: str, lines: list[str]) -> None:
    must = ["Via: SIP/2.0/TLS x;branch=1", "From: a", "To: b", "Call-ID: c", "CSeq: 1 INVITE"]
    text = "\r\n".join([start, *lines, *must]).encode("utf-8", "surrogatepass")

    def read() -> Message:
        return parse(text)

    try:
        is_request = read().is_request
    except InputError:
        return
    changed = [read(), read()]
    if is_request:
        hop.key_of(changed[0], HOP)
        hop.target_of(changed[0])
        hop.outward(changed[0], own=OWN, inner=PJSIP, secure=True)
        hop.inward(changed[1], hop=HOP, peer=PEER, key="ax1")
    else:
        hop.answer_inward(changed[0], own=OWN, inner=PJSIP, hop=HOP, key="1")
        hop.answer_outward(changed[1], own=OWN, inner=PJSIP, hop=HOP)
    for one in changed:
        one.encode()


@given(st.lists(st.binary(max_size=60) | st.just(b"\r\n\r\n") | st.just(b"\r\nContent-Length: 3\r\n"), max_size=20))
def test_no_stream_is_too_strange(parts: list[bytes]) -> None:
    framer = Framer()
    with contextlib.suppress(InputError):
        for part in parts:
            framer.feed(part)
