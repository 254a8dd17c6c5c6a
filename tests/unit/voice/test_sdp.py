"""Session descriptions: our sockets in PJSIP's words."""

from hypothesis import given
from hypothesis import strategies as st

from axcore.voice import sdp

OFFER = "\r\n".join(
    (
        "v=0",
        "o=- 4004233590 4004233590 IN IP4 10.0.0.9",
        "s=pjmedia",
        "b=AS:84",
        "t=0 0",
        "a=X-nat:0",
        "m=audio 4000 RTP/AVP 0 8 120",
        "c=IN IP4 10.0.0.9",
        "a=rtcp:4001 IN IP4 10.0.0.9",
        "a=sendrecv",
        "a=rtpmap:120 telephone-event/8000",
        "a=ssrc:983245538 cname:3e55",
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA",
        "a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:BBBB",
        "",
    )
)


def test_the_device_s_socket_stands_where_that_of_pjsip_stood() -> None:
    lines = sdp.rewrite(OFFER, "192.168.0.90", 5004).split("\r\n")
    assert lines[1] == "o=- 4004233590 4004233590 IN IP4 192.168.0.90"
    assert lines[5:8] == ["m=audio 5004 RTP/AVP 0 8 120", "c=IN IP4 192.168.0.90", "a=sendrecv"]
    assert not [line for line in lines if line.startswith(("a=rtcp", "a=ssrc", "a=X-nat")) or "10.0.0.9" in line]


def test_the_codecs_and_the_direction_stay() -> None:
    text = sdp.rewrite(OFFER.replace("sendrecv", "recvonly"), "fe80::1", 5004)
    assert "c=IN IP6 fe80::1\r\n" in text
    assert "a=recvonly\r\n" in text
    assert "a=rtpmap:120 telephone-event/8000\r\n" in text


def test_a_refused_stream_stays_refused_and_no_other_kind_is_taken() -> None:
    text = sdp.rewrite(OFFER.replace("audio 4000", "audio 0") + "m=video 6000 RTP/AVP 99\r\n", "10.0.0.1", 5004)
    assert "m=audio 0 " in text
    assert "m=video 0 " in text


def test_the_keys_of_both_sides_are_found_by_the_tag_of_the_answer() -> None:
    answer = "v=0\r\nm=audio 4002 RTP/AVP 0\r\na=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:CCCC\r\n"
    ours = "2 AES_CM_128_HMAC_SHA1_32 inline:BBBB"
    assert sdp.agreed_crypto(OFFER, answer, offered=True) == (ours, "2 AES_CM_128_HMAC_SHA1_32 inline:CCCC")
    assert sdp.agreed_crypto(answer, OFFER, offered=False) == ("2 AES_CM_128_HMAC_SHA1_32 inline:CCCC", ours)


def test_an_answer_without_keys_or_with_a_tag_that_was_not_offered_has_none() -> None:
    assert sdp.agreed_crypto(OFFER, "m=audio 1 RTP/AVP 0\r\n", offered=True) == ("", "")
    assert sdp.agreed_crypto(OFFER, "m=audio 1 RTP/AVP 0\r\na=crypto:7 X inline:Y\r\n", offered=True) == ("", "")


def test_the_address_of_the_audio_comes_before_that_of_the_session() -> None:
    assert sdp.address_of("c=IN IP4 10.0.0.1\r\nm=audio 1 RTP/AVP 0\r\nc=IN IP4 10.0.0.2/127\r\n") == "10.0.0.2"
    assert sdp.address_of("c=IN IP4 10.0.0.1\r\nm=audio 1 RTP/AVP 0\r\n") == "10.0.0.1"
    assert sdp.address_of("c=IN IP4 phone.example\r\nm=audio 1 RTP/AVP 0\r\n") == ""


@given(st.text(max_size=300) | st.lists(st.sampled_from(OFFER.split("\r\n")), max_size=30).map("\r\n".join))
def test_no_description_is_too_strange(text: str) -> None:
    sdp.rewrite(text, "10.0.0.1", 5004)
    sdp.agreed_crypto(text, OFFER, offered=True)
    sdp.agreed_crypto(OFFER, text, offered=True)
    sdp.address_of(text)
    assert "10.0.0.9" not in "".join(
        line for line in sdp.rewrite(OFFER, "10.0.0.1", 1).splitlines() if line.startswith(("c=", "o="))
    )


def test_a_direction_is_what_both_allow() -> None:
    for most, offered, found in (
        ("sendonly", "sendrecv", "sendonly"),
        ("recvonly", "sendrecv", "recvonly"),
        ("sendonly", "recvonly", "inactive"),
        ("sendrecv", "recvonly", "recvonly"),
    ):
        text = sdp.directed(OFFER.replace("sendrecv", offered), most)  # type: ignore[arg-type]
        assert f"a={found}" in text.split("\r\n")


def test_events_get_the_number_of_the_settings() -> None:
    lines = sdp.renumbered(OFFER + "a=fmtp:120 0-16\r\n", 101).split("\r\n")
    assert "m=audio 4000 RTP/AVP 0 8 101" in lines
    assert "a=rtpmap:101 telephone-event/8000" in lines
    assert "a=fmtp:101 0-16" in lines
    swapped = sdp.renumbered(OFFER.replace("0 8 120", "0 8 101 120") + "a=rtpmap:101 L16/8000\r\n", 101)
    assert "m=audio 4000 RTP/AVP 0 8 120 101\r\n" in swapped
    assert "a=rtpmap:120 L16/8000\r\n" in swapped
    assert sdp.renumbered("v=0\r\n", 101) == "v=0\r\n"


@given(st.lists(st.sampled_from(OFFER.split("\r\n")) | st.text(max_size=40), max_size=30).map("\r\n".join))
def test_neither_meets_a_description_that_it_cannot_read(text: str) -> None:
    sdp.renumbered(sdp.directed(text, "sendonly"), 97)


PIECES = st.sampled_from(
    ["", "-1", "0", "65536", "9" * 40, "\x00", "RTP/AVP", "IN", "IP6", "::1%lo", "audio", "\r", " ", "\u2028"]
)
LINES = st.builds(
    lambda kind, parts: f"{kind}={' '.join(parts)}", st.sampled_from([*"vosctmab", "m=audio 1 RTP/AVP 0\r\nc"]),
    st.lists(PIECES, max_size=6),
)  # fmt: skip


@given(st.lists(LINES, max_size=40).map("\r\n".join), st.integers(1, 65535))
def test_nothing_of_another_s_sockets_is_left(text: str, port: int) -> None:
    lines = sdp.rewrite(text, "10.0.0.1", port).split("\r\n")
    streams = [line.split(" ") for line in lines if line.startswith("m=")]
    assert {parts[1] for parts in streams if parts[0] == "m=audio"} <= {str(port), "0"}
    assert {parts[1] for parts in streams if parts[0] != "m=audio"} <= {"0"}
    assert {line for line in lines if line.startswith("c=")} <= {"c=IN IP4 10.0.0.1"}
    assert all(line.endswith("IN IP4 10.0.0.1") for line in lines if line.startswith("o="))
    assert not [line for line in lines if line.startswith(("a=rtcp:", "a=candidate:", "a=ice-"))]
    assert sdp.rewrite("\r\n".join(lines), "10.0.0.1", port).split("\r\n") == lines


@given(st.binary(max_size=400).map(lambda raw: raw.decode("utf-8", "replace")))
def test_no_message_has_a_description_by_accident(message: str) -> None:
    assert sdp.offer_of(message) in ("", sdp.body_of(message))


def test_the_offer_of_a_message() -> None:
    assert sdp.offer_of("INVITE sip:x SIP/2.0\r\nA: b\r\n\r\nv=0\r\n") == "v=0\n"
    assert sdp.offer_of("INVITE sip:x SIP/2.0\r\nA: b\r\n\r\n<xml/>") == ""
