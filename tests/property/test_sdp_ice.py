"""ICE in descriptions: what is written is read, and whatever a peer says is bounded or nothing."""

from ipaddress import IPv4Address, IPv6Address, ip_address

from hypothesis import given
from hypothesis import strategies as st

from axcore.model.nat import Candidate, Ice
from axcore.model.voice import LocalMedia
from axcore.voice import sdp_ice

PLAIN = (
    "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\nm=audio 4032 RTP/AVP 0\r\na=sendrecv\r\n"
)
TOKEN = st.text("ABCxyz019+/", min_size=1, max_size=32)
ADDRESSES = st.one_of(
    st.integers(0x01000000, 0xDFFFFFFF).map(lambda number: str(IPv4Address(number))),
    st.integers(0x2000 << 112, (0x3000 << 112) - 1).map(lambda number: str(IPv6Address(number))),
)
PORTS = st.integers(1, 65535)
CANDIDATES = st.builds(
    Candidate,
    foundation=TOKEN,
    component=st.integers(1, 2),
    priority=st.integers(1, 2**31 - 1),
    address=ADDRESSES,
    port=PORTS,
    kind=st.sampled_from(("host", "srflx", "prflx", "relay")),
)
RELATED = st.builds(
    lambda one, address, port: Candidate(**(_fields(one) | {"related_address": address, "related_port": port})),
    CANDIDATES,
    ADDRESSES,
    PORTS,
)
ICES = st.builds(
    Ice,
    ufrag=st.text("ABCxyz019+/", min_size=4, max_size=256),
    password=st.text("ABCxyz019+/", min_size=22, max_size=256),
    candidates=st.lists(
        CANDIDATES | RELATED, max_size=sdp_ice.MOST, unique_by=lambda one: (one.component, one.address, one.port)
    ).map(tuple),
)
WORDS = st.sampled_from(
    ("1", "2", "0", "-1", "UDP", "udp", "TCP", "typ", "host", "relay", "raddr", "rport", "192.0.2.1", "::1", "0.0.0.0",
     "a.local", "5000", "65536", "2130706431", "99999999999", "\u0661", "%", "generation", "\t", "224.0.0.1")
)  # fmt: skip


def _fields(one: Candidate) -> dict[str, object]:
    return {name: getattr(one, name) for name in one.__struct_fields__}


@given(ICES, PORTS)
def test_what_is_written_is_read(ice: Ice, rtcp: int) -> None:
    text = sdp_ice.with_path(PLAIN, LocalMedia(port=4032, rtcp_port=rtcp, ice=ice), ice=True)
    assert sdp_ice.parse(text) == ice


@given(st.lists(WORDS | st.text(max_size=12), max_size=14))
def test_a_candidate_is_sound_or_none(words: list[str]) -> None:
    found = sdp_ice.candidate(" ".join(words))
    if found is not None:
        address = ip_address(found.address)
        assert not address.is_multicast
        assert not address.is_unspecified
        assert 1 <= found.port <= 65535
        assert found.component in (1, 2)
        assert sdp_ice.candidate(sdp_ice.line(found).removeprefix("a=candidate:")) == found


PREFIXES = st.sampled_from(("a=candidate:", "a=ice-ufrag:", "a=ice-pwd:", "m=audio 9 ", "m=", "a=ice-lite", ""))


@given(st.lists(st.tuples(PREFIXES, st.text(max_size=40))), st.booleans())
def test_no_description_breaks_it(lines: list[tuple[str, str]], proper: bool) -> None:
    head = "m=audio 5 x\r\na=ice-ufrag:abcd\r\na=ice-pwd:" + "p" * 22 + "\r\n" if proper else ""
    text = head + "\r\n".join(name + rest for name, rest in lines)
    found = sdp_ice.parse(text)
    assert found is None or len(found.candidates) <= sdp_ice.MOST
    sdp_ice.with_path(text, LocalMedia(port=4, ice=found), ice=True)
