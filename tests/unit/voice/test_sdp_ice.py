"""ICE in descriptions: what is written, what is read, and what hostile peers say."""

import pytest

from axcore.model.nat import Candidate, Ice
from axcore.model.voice import LocalMedia
from axcore.voice import sdp, sdp_ice

# RFC 8839, section 5.1 and appendix A of RFC 5245 (its example offer, with a media port)
OFFER = "\r\n".join(
    (
        "v=0",
        "o=jdoe 2890844526 2890842807 IN IP4 203.0.113.141",
        "s=",
        "c=IN IP4 192.0.2.3",
        "t=0 0",
        "a=ice-options:ice2",
        "a=ice-pacing:50",
        "a=ice-pwd:asd88fgpdd777uzjYhagZg",
        "a=ice-ufrag:8hhY",
        "m=audio 45664 RTP/AVP 0",
        "b=RS:0",
        "b=RR:0",
        "a=rtpmap:0 PCMU/8000",
        "a=candidate:1 1 UDP 2130706431 203.0.113.141 8998 typ host",
        "a=candidate:2 1 UDP 1694498815 192.0.2.3 45664 typ srflx raddr 203.0.113.141 rport 8998",
        "",
    )
)
ICE = Ice(
    ufrag="abcd",
    password="x" * 22,
    candidates=(
        Candidate(foundation="h0", component=1, priority=2130706431, address="192.0.2.7", port=4032, kind="host"),
        Candidate(
            foundation="r0",
            component=2,
            priority=16777214,
            address="2001:db8::1",
            port=50001,
            kind="relay",
            related_address="192.0.2.7",
            related_port=4033,
        ),
    ),
)
PLAIN = (
    "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\nm=audio 4032 RTP/AVP 0\r\na=sendrecv\r\n"
)
HOSTILE = (
    "",
    " ",
    "1",
    "1 1 UDP 1 192.0.2.1 5000",
    "1 1 UDP 1 192.0.2.1 5000 type host",
    "1 1 TCP 1 192.0.2.1 9 typ host tcptype active",
    "1 1 UDP 1 0f6c4f2e.local 5000 typ host",
    "1 1 UDP 1 evil.example 5000 typ host",
    "1 1 UDP 1 0.0.0.0 5000 typ host",
    "1 1 UDP 1 :: 5000 typ host",
    "1 1 UDP 1 255.255.255.255 5000 typ host",
    "1 1 UDP 1 224.0.0.1 5000 typ host",
    "1 1 UDP 1 ff02::1 5000 typ host",
    "1 1 UDP 1 fe80::1%eth0 5000 typ host",
    "1 1 UDP 1 ::ffff:192.0.2.1 5000 typ host",
    "1 1 UDP 1 192.0.2.1 0 typ host",
    "1 1 UDP 1 192.0.2.1 65536 typ host",
    "1 1 UDP 1 192.0.2.1 -5 typ host",
    "1 1 UDP 1 192.0.2.1 5000 typ other",
    "1 0 UDP 1 192.0.2.1 5000 typ host",
    "1 3 UDP 1 192.0.2.1 5000 typ host",
    "1 1 UDP 0 192.0.2.1 5000 typ host",
    "1 1 UDP 99999999999999999999 192.0.2.1 5000 typ host",
    "1 1 UDP 4294967295 192.0.2.1 5000 typ host",
    "1 \u0661 UDP 1 192.0.2.1 5000 typ host",
    "f" * 33 + " 1 UDP 1 192.0.2.1 5000 typ host",
    "a;b 1 UDP 1 192.0.2.1 5000 typ host",
    "1 1 UDP 1 010.0.0.1 5000 typ host",
)


def test_the_example_of_the_standard() -> None:
    found = sdp_ice.parse(OFFER)
    assert found is not None
    assert (found.ufrag, found.password, found.lite) == ("8hhY", "asd88fgpdd777uzjYhagZg", False)
    host, reflexive = found.candidates
    assert (host.kind, host.address, host.port, host.priority) == ("host", "203.0.113.141", 8998, 2130706431)
    assert (reflexive.kind, reflexive.address, reflexive.port) == ("srflx", "192.0.2.3", 45664)
    assert (reflexive.related_address, reflexive.related_port) == ("203.0.113.141", 8998)


def test_what_is_written_is_read() -> None:
    text = sdp_ice.with_path(PLAIN, LocalMedia(port=4032, rtcp_port=50001, ice=ICE), ice=True)
    assert sdp_ice.parse(text) == ICE
    assert "a=rtcp:50001\r\n" in text
    assert text.endswith("\r\n")
    assert sdp.rewrite(text, "192.0.2.7", 4032) == sdp.rewrite(PLAIN, "192.0.2.7", 4032)  # and taken out again


def test_the_lines_are_those_of_the_audio_stream() -> None:
    both = PLAIN + "m=video 0 RTP/AVP 96\r\na=inactive\r\n"
    lines = sdp_ice.with_path(both, LocalMedia(port=4032, ice=ICE), ice=True).splitlines()
    assert lines.index("a=ice-ufrag:abcd") < lines.index("m=video 0 RTP/AVP 96")
    assert lines.index("a=ice-ufrag:abcd") > lines.index("m=audio 4032 RTP/AVP 0")


def test_nothing_is_written_for_those_who_do_not_know_it() -> None:
    assert sdp_ice.with_path(PLAIN, LocalMedia(port=4032, rtcp_port=4033, ice=ICE), ice=False) == PLAIN
    assert sdp_ice.with_path(PLAIN, LocalMedia(port=4032), ice=True) == PLAIN


def test_a_refused_stream_has_no_candidates() -> None:
    refused = PLAIN.replace("m=audio 4032", "m=audio 0")
    assert sdp_ice.with_path(refused, LocalMedia(port=4032, ice=ICE), ice=True) == refused


def test_a_lite_peer() -> None:
    found = sdp_ice.parse(OFFER.replace("a=ice-options:ice2", "a=ice-lite"))
    assert found is not None
    assert found.lite


@pytest.mark.parametrize(
    "spoiled",
    [
        OFFER.replace("a=ice-ufrag:8hhY", "a=ice-ufrag:8h"),
        OFFER.replace("a=ice-ufrag:8hhY", "a=ice-ufrag:8h hY"),
        OFFER.replace("a=ice-ufrag:8hhY\r\n", ""),
        OFFER.replace("asd88fgpdd777uzjYhagZg", "asd88fgpdd777uzjYhagZ"),
        OFFER.replace("asd88fgpdd777uzjYhagZg", "a" * 257),
        PLAIN,
        "",
    ],
)
def test_without_credentials_there_is_no_ice(spoiled: str) -> None:
    assert sdp_ice.parse(spoiled) is None


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_candidates_are_passed_over(value: str) -> None:
    assert sdp_ice.candidate(value) is None
    found = sdp_ice.parse(OFFER + f"a=candidate:{value}\r\n")
    assert found is not None
    assert len(found.candidates) == 2


def test_only_so_many_candidates_count() -> None:
    many = "".join(f"a=candidate:1 1 UDP 1 192.0.2.1 {port} typ host\r\n" for port in range(1000, 9000))
    found = sdp_ice.parse(OFFER + many)
    assert found is not None
    assert len(found.candidates) == sdp_ice.MOST


def test_one_address_is_one_candidate() -> None:
    found = sdp_ice.parse(OFFER + "a=candidate:9 1 UDP 7 203.0.113.141 8998 typ host\r\n" * 50)
    assert found is not None
    assert len(found.candidates) == 2
