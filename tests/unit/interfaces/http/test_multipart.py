"""multipart/form-data: what browsers and curl send, what is refused, and that nothing else gets through."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axcore.errors import InputError
from axcore.interfaces.http.multipart import MAX_PARTS, boundary_of, parts

KIND = "multipart/form-data; boundary=B"
HEAD = b'Content-Disposition: form-data; name="%s"'


def form(*items: tuple[bytes, bytes], boundary: bytes = b"B") -> bytes:
    """A body as clients make it: headers (without the empty line) and contents."""
    made = b"".join(b"--%s\r\n%s\r\n\r\n%s\r\n" % (boundary, head, body) for head, body in items)
    return made + b"--" + boundary + b"--\r\n"


def test_parts_in_their_order() -> None:
    content = b"\r\n--b\r\n-B\x00\xff"
    body = form((HEAD % b"file" + b'; filename="a b.wav"\r\nContent-Type: audio/wav', content), (HEAD % b"name", b""))
    first, second = parts(KIND, body)
    assert (first.name, first.filename, bytes(first.body)) == ("file", "a b.wav", content)
    assert (second.name, second.filename, bytes(second.body)) == ("name", None, b"")


def test_a_preamble_and_an_epilogue_are_nothing() -> None:
    (only,) = parts(KIND, b"hello\r\n" + form((HEAD % b"x", b"1")) + b"bye")
    assert bytes(only.body) == b"1"
    assert parts('multipart/form-data; boundary="a b"', form((HEAD % b"x", b"1"), boundary=b"a b"))


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "multipart/mixed; boundary=B", "multipart/form-data", "multipart/form-data; boundary=",
             "multipart/form-data; boundary=" + "x" * 71, "multipart/form-data; boundary=\xe4"],
)  # fmt: skip
def test_a_kind_that_is_refused(kind: str) -> None:
    with pytest.raises(InputError) as raised:
        boundary_of(kind)
    assert raised.value.field == "Content-Type"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--",
        b"no boundary at all",
        b"--B",
        b"--Bx\r\n" + HEAD % b"x" + b"\r\n\r\n1\r\n--B--",
        b"--B\r\n" + HEAD % b"x" + b"\r\n\r\n1",
        b"--B\r\n" + HEAD % b"x" + b"\r\n--B--",
        b"--B\r\n\r\nno name\r\n--B--",
        b"--B\r\nContent-Disposition: attachment; name=x\r\n\r\n1\r\n--B--",
        b"--B\r\n" + HEAD % b"\xff" + b"\r\n\r\n1\r\n--B--",
        b"--B\r\n" + b"x: " + b"y" * 5000 + b"\r\n" + HEAD % b"x" + b"\r\n\r\n1\r\n--B--",
        b"--B\r\n" + HEAD % b"x" + b"\r\nContent-Transfer-Encoding: base64\r\n\r\nMQ==\r\n--B--",
        form(*[(HEAD % b"x", b"1")] * (MAX_PARTS + 1)),
    ],
)
def test_a_body_that_is_refused(body: bytes) -> None:
    with pytest.raises(InputError) as raised:
        parts(KIND, body)
    assert raised.value.field == "body"


NAMES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters="\"\\;%'"), min_size=1)


@given(st.lists(st.tuples(NAMES, st.binary(max_size=300)), min_size=1, max_size=5))
def test_what_goes_in_comes_out(items: list[tuple[str, bytes]]) -> None:
    if any(b"\r\n--B" in b"\r\n" + body for _, body in items):
        return
    found = parts(KIND, form(*[(HEAD % name.encode(), body) for name, body in items]))
    assert [(part.name, bytes(part.body)) for part in found] == [(name, body) for name, body in items]


@given(st.binary(max_size=400), st.integers(0, 400))
def test_any_bytes_give_parts_or_an_error(junk: bytes, at: int) -> None:
    body = form((HEAD % b"file", b"content"))
    for candidate in (junk, body[:at] + junk + body[at:], b"--B\r\n" + junk):
        with contextlib.suppress(InputError):
            assert sum(len(part.body) for part in parts(KIND, candidate)) <= len(candidate)
