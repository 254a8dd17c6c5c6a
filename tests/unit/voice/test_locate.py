"""Servers by name (RFC 3263, RFC 2782): messages of DNS, the order of targets, what is kept, who does not answer."""

from __future__ import annotations

import contextlib
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from name_server import NameServer, address, answer, record, srv

from axcore.errors import InputError
from axcore.voice import dns, locate, probe
from axcore.voice.dns import Server
from axcore.voice.locate import MOST_PLACES, Locator, name_servers

NAME = "_sip._udp.pbx.test"
QUESTION = dns.query(7, NAME)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine may be late."""
    monkeypatch.setattr(locate, "WAITS_S", (20.0,))


class TestMessages:
    def test_a_question_as_of_rfc_1035(self) -> None:
        assert dns.query(258, "a.bc") == bytes((1, 2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 97, 2, 98, 99, 0, 0, 33, 0, 1))

    @pytest.mark.parametrize("name", ["", ".", "a..b", "a" * 64, "a." * 127 + "a", "\u00e9.test"])
    def test_what_is_no_name(self, name: str) -> None:
        with pytest.raises(InputError, match="name"):
            dns.query(1, name)

    def test_servers_and_their_addresses(self) -> None:
        records = [srv(NAME, (10, 5, 5070, "One.pbx.test"), 60), srv(NAME, (20, 0, 5060, "two.pbx.test"), 30)]
        more = [
            address("one.PBX.test", "::1"),
            address("one.pbx.test", "192.0.2.1"),
            address("two.pbx.test", "192.0.2.2"),
        ]
        found = dns.parse(answer(QUESTION, records, more), QUESTION)
        assert found.servers == (Server(10, 5, "one.pbx.test", 5070), Server(20, 0, "two.pbx.test", 5060))
        assert found.addresses == {"one.pbx.test": ("192.0.2.1", "::1"), "two.pbx.test": ("192.0.2.2",)}
        assert (found.ttl_s, found.truncated) == (30, False)

    def test_a_compressed_name(self) -> None:
        data = bytes((0, 1, 0, 2, 19, 196, 3)) + b"one" + bytes((0xC0, 12 + 10))  # of the question: pbx.test
        found = dns.parse(answer(QUESTION, [record(NAME, 33, data)], []), QUESTION)
        assert found.servers == (Server(1, 2, "one.pbx.test", 5060),)

    def test_records_of_another_name_kind_or_section_count_for_nothing(self) -> None:
        other = srv("_sip._udp.evil.test", (1, 1, 1, "evil.test"))
        text, chaos = record(NAME, 16, b"\x03abc"), record(NAME, 33, bytes(8), family=3)
        found = dns.parse(answer(QUESTION, [other, text, chaos], [srv(NAME, (1, 1, 1, "evil.test"))]), QUESTION)
        assert (found.servers, found.ttl_s) == ((), 0)

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            QUESTION,
            answer(dns.query(8, NAME), [], []),
            answer(dns.query(7, "_sip._udp.pbx.tesu"), [], []),
            answer(QUESTION, [], [], 0x8182),
            answer(QUESTION, [srv(NAME, (1, 1, 1, "a.b"))], [])[:-3],
            answer(QUESTION, [b"\xc0\x29" * 20], []),
            answer(QUESTION, [b"\xff" * 30], []),
            answer(QUESTION, [b"\x40" * 80], []),
            answer(QUESTION, [(b"\x3f" + b"a" * 63) * 5], []),
        ],
    )
    def test_what_is_no_answer(self, data: bytes) -> None:
        with pytest.raises(InputError, match="answer"):
            dns.parse(data, QUESTION)

    @given(st.binary(max_size=200), st.integers(0, 80), st.integers(0, 255))
    def test_any_octets_are_an_answer_or_an_input_error(self, octets: bytes, at: int, value: int) -> None:
        whole = bytearray(answer(QUESTION, [srv(NAME, (1, 1, 1, "a.b"))], [address("a.b", "::1")]))
        whole[min(at, len(whole) - 1)] = value
        for data in (octets, QUESTION[:2] + b"\x81\x80\0\1\0\2\0\0\0\2" + QUESTION[12:] + octets, bytes(whole)):
            with contextlib.suppress(InputError):
                found = dns.parse(data, QUESTION)
                assert all(0 <= one.port <= 65535 and len(one.host) <= 254 for one in found.servers)


class TestOrder:
    def test_lower_priorities_come_first(self) -> None:
        one, two, three = Server(1, 0, "a", 1), Server(2, 9, "b", 1), Server(2, 0, "c", 1)
        assert dns.ordered((two, three, one), lambda most: most) == [one, two, three]
        assert dns.ordered((two, three, one), lambda most: 0) == [one, three, two]

    def test_weights_are_shares(self) -> None:
        servers = [Server(1, 30, "a", 1), Server(1, 10, "b", 1), Server(1, 0, "c", 1)]
        first = Counter(dns.ordered(servers, lambda most, mark=mark: min(mark, most))[0].host for mark in range(41))
        assert first == {"a": 30, "b": 10, "c": 1}

    def test_a_dot_says_that_there_is_no_such_service(self) -> None:
        assert dns.ordered((Server(0, 0, "", 0),), lambda most: 0) == []

    @given(
        st.lists(st.builds(Server, st.integers(0, 3), st.integers(0, 9), st.just("h"), st.integers(1, 9))), st.randoms()
    )
    def test_everybody_is_tried_once(self, servers: list[Server], random: object) -> None:
        found = dns.ordered(servers, lambda most: random.randint(0, most))  # type: ignore[attr-defined]
        assert Counter(found) == Counter(servers)
        assert [one.priority for one in found] == sorted(one.priority for one in servers)


class Known:
    """What the system knows, and was asked for."""

    def __init__(self, **addresses: str) -> None:
        self.addresses, self.asked = addresses, 0

    def __call__(self, name: str) -> str:
        self.asked += 1
        return self.addresses.get(name.partition(".")[0], "")


class TestLocator:
    def test_by_transport_priority_and_port(self) -> None:
        with NameServer() as server:
            server.servers("_sip._udp.pbx.test", (20, 1, 5062, "two.test"), (10, 1, 5061, "one.test"))
            server.servers("_sip._tcp.pbx.test", (1, 1, 5063, "one.test"), glue="::1")
            server.servers("_sips._tcp.pbx.test", (1, 1, 5064, "one.test"), glue="")
            found = Locator(Known(one="192.0.2.1"), (server.place,))
            assert found.find("PBX.test", "udp") == [("127.0.0.1", 5061), ("127.0.0.1", 5062)]
            assert found.find("pbx.test.", "tcp") == [("::1", 5063)]
            assert found.find("pbx.test", "tls") == [("192.0.2.1", 5064)]

    def test_without_records_it_is_the_host_itself(self) -> None:
        with NameServer() as server:
            known = Known(pbx="192.0.2.9", localhost="127.0.0.1")
            found = Locator(known, (server.place,))
            assert found.find("pbx.test", "udp") == [("192.0.2.9", 5060)]
            assert found.find("pbx.test", "tls") == [("192.0.2.9", 5061)]
            assert found.find("nobody.test", "udp") == []
            asked = len(server.asked)
            for name in ("localhost", "pbx", "pbx.local", "a" * 300 + ".test", "a..test"):
                found.find(name, "udp")
            assert len(server.asked) == asked
            assert found.find("localhost", "tcp") == [("127.0.0.1", 5060)]

    def test_an_answer_is_kept(self) -> None:
        with NameServer() as server:
            server.servers("_sip._udp.pbx.test", (1, 1, 5061, "one.test"))
            found = Locator(Known(), (server.place,))
            for _ in range(5):
                assert found.find("pbx.test", "udp")
                found.find("none.test", "udp")
            assert Counter(server.asked) == {"_sip._udp.pbx.test": 1, "_sip._udp.none.test": 1}

    def test_who_did_not_answer_comes_last(self) -> None:
        with NameServer() as server:
            server.servers("_sip._udp.pbx.test", (1, 1, 5061, "one.test"), (2, 1, 5062, "two.test"))
            found = Locator(Known(), (server.place,))
            assert not found.failed("pbx.test", "udp")  # nothing was tried yet
            assert found.find("pbx.test", "udp")[0][1] == 5061
            assert found.failed("pbx.test", "udp")
            assert [port for _, port in found.find("pbx.test", "udp")] == [5062, 5061]
            assert not found.failed("pbx.test", "udp")
            assert [port for _, port in found.find("pbx.test", "udp")] == [5061, 5062]

    def test_name_servers_that_are_dead_are_asked_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(locate, "WAITS_S", (0.05,))
        with NameServer() as dead:
            dead.silent = True
            known = Known(pbx="192.0.2.9")
            found = Locator(known, (dead.place, "127.0.0.1:1", "nonsense"))
            for _ in range(5):
                assert found.find("pbx.test", "udp") == [("192.0.2.9", 5060)]
            assert len(dead.asked) == 1
            assert known.asked == 5

    def test_the_next_name_server_is_asked_and_an_old_answer_counts_while_all_are_dead(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(locate, "WAITS_S", (0.05, 20.0))
        with NameServer() as dead, NameServer() as server:
            dead.silent = True
            server.servers("_sip._udp.pbx.test", (1, 1, 5061, "one.test"))
            found = Locator(Known(), (dead.place, server.place))
            assert found.find("pbx.test", "udp") == [("127.0.0.1", 5061)]
            monkeypatch.setattr(locate, "WAITS_S", (0.05,))
            server.silent = True
            for name, kept in found._kept.items():
                found._kept[name] = locate._Kept(kept.answer, 0.0, kept.asked)
            for _ in range(3):
                assert found.find("pbx.test", "udp") == [("127.0.0.1", 5061)]
            asked = len(server.asked)
            assert found.find("other.test", "udp") == []
            assert len(server.asked) == asked

    def test_errors_of_a_name_server_are_no_death(self) -> None:
        with NameServer() as server:
            server.code = 2  # SERVFAIL
            found = Locator(Known(pbx="192.0.2.9"), (server.place,))
            assert found.find("pbx.test", "udp") == [("192.0.2.9", 5060)]
            server.code = 0
            server.servers("_sip._udp.other.test", (1, 1, 5061, "one.test"))
            assert found.find("other.test", "udp") == [("127.0.0.1", 5061)]

    def test_what_is_too_long_for_a_datagram_comes_by_tcp(self) -> None:
        with NameServer() as server:
            server.long = True
            server.servers("_sip._udp.pbx.test", *((n, 1, 6000 + n, f"host{n}.test") for n in range(40)))
            found = Locator(Known(), (server.place,)).find("pbx.test", "udp")
            assert found == [("127.0.0.1", 6000 + n) for n in range(MOST_PLACES)]

    def test_a_probe_asks_the_servers_of_a_name(self) -> None:
        with NameServer() as server:
            server.servers("_sip._tcp.pbx.test", (1, 1, 1, "one.test"))
            assert not probe.alive("pbx.test", "tcp", Locator(Known(), (server.place,)).find)
            assert server.asked == ["_sip._tcp.pbx.test"]


def test_name_servers_of_the_system(tmp_path: Path) -> None:
    config = tmp_path / "resolv.conf"
    assert name_servers(config) == ()
    config.write_text("# nameserver 1.1.1.1\nsearch test\nnameserver 192.0.2.1\n nameserver  ::1 # x\nnameserver\n")
    assert name_servers(config) == ("192.0.2.1", "::1")
