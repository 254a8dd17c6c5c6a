"""An OPTIONS that asks for a server."""

from axcore.voice import probe, resolver


def test_an_options_is_complete() -> None:
    text = probe.request("2001:db8::1", 5060, ("2001:db8::2", 40000), "TCP").decode()
    assert text.startswith("OPTIONS sip:[2001:db8::1]:5060 SIP/2.0\r\nVia: SIP/2.0/TCP [2001:db8::2]:40000;rport;")
    assert text.endswith("Content-Length: 0\r\n\r\n")
    assert {"Max-Forwards", "From", "To", "Call-ID", "CSeq"} <= {line.partition(":")[0] for line in text.splitlines()}


def test_what_is_no_server_is_not_there() -> None:
    assert not probe.alive("127.0.0.1:1", "tcp")
    assert not probe.alive("[", "tcp")
    assert not probe.alive("127.0.0.1:99999", "tcp")


def test_the_table_of_hosts_counts() -> None:
    assert resolver.look_up("localhost") == "127.0.0.1"
    assert resolver.look_up("") in ("", "0.0.0.0", "127.0.0.1")
    assert resolver.look_up("a" * 300) == ""
