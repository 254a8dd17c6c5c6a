"""SIP addresses."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axcore.errors import InputError
from axcore.model.sip import (
    Source,
    check_host,
    host_of,
    identity,
    parse_address,
    parse_name_addr,
    parse_source,
    parse_uri,
)

HOSTS = st.from_regex(r"[a-z][a-z0-9]{0,10}(\.[a-z][a-z0-9]{0,10}){1,3}", fullmatch=True) | st.ip_addresses().map(
    lambda ip: f"[{ip}]" if ip.version == 6 else str(ip)
)
USERS = st.text(min_size=1, max_size=20).filter(str.isprintable)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("sip:192.168.1.100", ("", "192.168.1.100", None, False)),
        ("sip:1001@PBX.example:5070;transport=tcp", ("1001", "pbx.example", 5070, False)),
        ("SIPS:a%20b@[2001:DB8:0::1]:5061", ("a b", "2001:db8::1", 5061, True)),
    ],
)
def test_parts(text: str, parts: tuple[object, ...]) -> None:
    uri = parse_uri(text)
    assert (uri.user, uri.host, uri.port, uri.secure) == parts
    assert parse_uri(str(uri)) == uri


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "1..255"),
        ("sip:" + "a" * 300, "1..255"),
        ("http://x", "begin with"),
        ("sip:a b@host", "spaces"),
        ("sip:a:secret@host", "password"),
        ("sip:@host", "user name"),
        ("sip:a@host?Replaces=x", "headers"),
        ("sip:a@ho_st..x", "host name"),
        ("sip:a@300.1.1.1", "IP address"),
        ("sip:a@host:0", "port"),
        ("sip:a@host:99999", "port"),
        ("sip:a@[::1", "host"),
        ("sip:a@host;x=<y>", "parameters"),
        ("sip:a@host\r\nTo: x", "printable"),
        ("sip:%00@host", "unprintable"),
    ],
)
def test_what_is_no_address(text: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as caught:
        parse_uri(text, "to")
    assert caught.value.field == "to"


@given(USERS, HOSTS, st.none() | st.integers(1, 65535), st.booleans())
def test_what_is_written_can_be_read(user: str, host: str, port: int | None, secure: bool) -> None:
    from axcore.model.sip import SipUri

    uri = SipUri(user=user, host=host.strip("[]"), port=port, secure=secure)
    if len(str(uri)) <= 255:
        assert parse_uri(str(uri)) == uri


@given(st.text(max_size=80) | st.text(alphabet="sip:@[].;=%<>\"'\\ab1", max_size=40))
def test_any_text_is_an_address_or_an_input_error(text: str) -> None:
    for parse in (parse_uri, parse_address, parse_name_addr, parse_source):
        try:
            parse(text)
        except InputError:
            continue


def test_what_users_enter() -> None:
    assert str(parse_address("192.168.1.100")) == "sip:192.168.1.100"
    assert str(parse_address("fe80::1")) == "sip:[fe80::1]"
    assert str(parse_address("1001", "pbx.example")) == "sip:1001@pbx.example"
    assert str(parse_address("ada@10.0.0.2:5080")) == "sip:ada@10.0.0.2:5080"
    assert str(parse_address("sips:ada@example.com")) == "sips:ada@example.com"
    with pytest.raises(InputError, match="extension"):
        parse_address("1001")


def test_headers() -> None:
    assert parse_name_addr('"A <b>" <sip:1001@host>;tag=x').user == "1001"
    assert parse_name_addr("sip:1001@host;tag=x").user == "1001"


def test_who_calls_may_be_a_telephone_number() -> None:
    """RFC 3261 section 8.1.1.3 with RFC 3966: ``-.()`` in it are for the eye."""
    caller = parse_name_addr("<tel:+46-(40)-123.45;ext=7>;tag=x")
    assert (caller.user, caller.host, str(caller)) == ("+464012345", "", "tel:+464012345;ext=7")
    assert identity("TEL:+46-4012345") == "tel:+464012345"
    assert parse_source("+46-40-12345").matches(caller)
    for other in ("+46401234", "pbx.example", "+464012345@pbx.example"):
        assert not parse_source(other).matches(caller), other
    assert parse_name_addr("tel:112").user == "112"
    for text in ("tel:", "tel:+", "tel:-.-", "tel:+46x", "tel:1+2", "<tel:1;=>", "tel:\u0661"):
        with pytest.raises(InputError):
            parse_name_addr(text)
    with pytest.raises(InputError, match="begin with"):
        parse_uri("tel:+4640")  # nobody who can be called


def test_where_a_request_came_from() -> None:
    assert host_of("10.0.0.3:5060") == "10.0.0.3"
    assert host_of("[2001:DB8::0:1]:5060") == "2001:db8::1"
    assert host_of("?") == ""


def test_the_access_list_compares_parts_and_not_text() -> None:
    caller = parse_name_addr('"sip:boss@pbx.example" <sip:1001@PBX.example:5070>')
    assert parse_source("pbx.example").matches(caller)
    assert parse_source("sip:1001@pbx.example").matches(caller)
    assert parse_source("1001").matches(caller)
    for other in ("boss", "1001@other.example", "pbx.example.evil.example", "100", "boss@pbx.example"):
        assert not parse_source(other).matches(caller), other
    assert parse_source("10.0.0.1") == Source(host="10.0.0.1")


def test_hosts() -> None:
    assert check_host(" PBX.example:5061 ", "registrar") == "pbx.example:5061"
    assert check_host("2001:db8::1", "registrar") == "[2001:db8::1]"
    with pytest.raises(InputError, match="port"):
        check_host("pbx:5061", "domain", port=False)


@pytest.mark.parametrize(
    "text",
    [
        "sip:1001@192.168.0.90",
        "<sip:1001@192.168.0.90>",
        "sip:1001@192.168.0.90:5070;transport=tcp",
        '"Fire" <sips:1001@192.168.0.90;user=phone>;tag=7',
    ],
)
def test_rules_compare_who_and_not_how(text: str) -> None:
    assert identity(text) == "sip:1001@192.168.0.90"


def test_an_identity_is_one_of_itself() -> None:
    assert identity("sip:A%20b@[2001:DB8::0:1]") == "sip:A%20b@[2001:db8::1]"
    with pytest.raises(InputError, match="begin with sip"):
        identity("1001", "data.DeviceURI")


@given(st.text(max_size=300) | st.from_regex(r"(\"x\" )?<?sips?:[^ ]{0,60}>?(;[a-z]+=[^ ]{0,10})*", fullmatch=True))
def test_any_text_is_an_address_of_which_all_is_known_or_none(text: str) -> None:
    for parse in (parse_uri, parse_address, parse_name_addr):
        with contextlib.suppress(InputError):
            uri = parse(text)
            assert parse_uri(str(uri)) == uri or len(str(uri)) > 255
    with contextlib.suppress(InputError):
        assert identity(identity(text)) == identity(text)
