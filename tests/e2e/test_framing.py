"""Requests that must not be served, sent byte by byte to the real server.

A request that two servers could read differently is refused: the answer is an error and the connection ends, or it ends
without an answer. Nothing of it is executed: a second request hidden in the body of the first is never answered.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from axcore.interfaces.http.connection import ConnectionLimits
from axcore.testing.http import HttpDevice

READY = b'{"apiVersion":"1.0","method":"systemready"}'
TARGET = b"/axis-cgi/systemready.cgi"
SMUGGLED = b"GET /axis-cgi/apidiscovery.cgi HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest_asyncio.fixture
async def device(tmp_path: Path) -> AsyncIterator[HttpDevice]:
    async with HttpDevice(tmp_path) as device:
        device.add_account("root", "pass")
        yield device


async def exchange(device: HttpDevice, *parts: bytes, wait: float = 0.0) -> bytes:
    """Send ``parts`` and read until the server ends the connection; a GET with close is sent last as a probe."""
    host, _, port = device.http.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(wait)  # wall clock: the slowness of the client is the subject
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


def statuses(data: bytes) -> list[int]:
    """The status of each response in a stream."""
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", data)]


def post(*headers: bytes, body: bytes = READY, target: bytes = TARGET, version: bytes = b"HTTP/1.1") -> bytes:
    return b"\r\n".join((b"POST " + target + b" " + version, b"Host: device", *headers, b"", body))


async def test_sound_requests_are_served(device: HttpDevice) -> None:
    length = b"Content-Length: %d" % len(READY)
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(READY), READY)
    close = b"Connection: close"
    for request in (
        post(length, close),
        post(b"Transfer-Encoding: chunked", close, body=chunked),
        post(b"transfer-encoding:Chunked", close, body=chunked),
        post(
            b"Transfer-Encoding: chunked",
            close,
            body=b"5;a=b\r\n"
            + READY[:5]
            + b"\r\n"
            + b"%x\r\n" % (len(READY) - 5)
            + READY[5:]
            + b"\r\n0\r\nTrailer: x\r\n\r\n",
        ),
        post(length, version=b"HTTP/1.0"),
        post(length, close, b"X-Long: " + b"a" * 8000),
        post(length, close, target=b"http://device" + TARGET),
    ):
        assert statuses(await exchange(device, request)) == [200], request
    assert statuses(await exchange(device, post(length) + post(length, close))) == [200, 200]
    assert statuses(await exchange(device, post(length, close, b"Expect: 100-continue"))) == [100, 200]


L = b"Content-Length: %d" % len(READY)
CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(READY), READY)
TE = b"Transfer-Encoding: chunked"
FRAMING = {
    # the thirteen
    "plus": post(b"Content-Length: +%d" % len(READY)),
    "two lengths": post(L, b"Content-Length: 3"),
    "two equal lengths": post(L, L),
    "length and chunked": post(L, TE, body=CHUNKED),
    "chunked and length": post(TE, L, body=CHUNKED),
    "second coding": post(TE, b"Transfer-Encoding: identity", body=CHUNKED),
    "second chunked": post(TE, TE, body=CHUNKED),
    "xchunked": post(b"Transfer-Encoding: xchunked", body=CHUNKED),
    "space before colon": post(b"Transfer-Encoding : chunked", body=CHUNKED),
    "negative chunk": post(TE, body=b"-5\r\nabcde\r\n0\r\n\r\n"),
    "huge chunk": post(TE, body=b"fffffffffffffffff\r\nabc\r\n0\r\n\r\n"),
    "bad chunk size": post(TE, body=b"5g\r\nabcde\r\n0\r\n\r\n"),
    "hex prefix": post(TE, body=b"0x5\r\nabcde\r\n0\r\n\r\n"),
    # more of the kind
    "negative length": post(b"Content-Length: -1"),
    "length list": post(b"Content-Length: %d, %d" % (len(READY), len(READY))),
    "length with text": post(b"Content-Length: %dabc" % len(READY)),
    "length hex": post(b"Content-Length: 0x2b"),
    "empty length": post(b"Content-Length:"),
    "length underscore": post(b"Content-Length: 4_3"),
    "length decimal": post(b"Content-Length: 43.0"),
    "length of other digits": post("Content-Length: \u0664\u0663".encode()),
    "length overflow": post(b"Content-Length: 18446744073709551659"),
    "space before length colon": post(b"Content-Length : %d" % len(READY)),
    "tab before length colon": post(b"Content-Length\t: %d" % len(READY)),
    "NUL before length colon": post(b"Content-Length\0: %d" % len(READY)),
    "chunked, identity": post(b"Transfer-Encoding: chunked, identity", body=CHUNKED),
    "identity, chunked": post(b"Transfer-Encoding: identity, chunked", body=CHUNKED),
    "gzip, chunked": post(b"Transfer-Encoding: gzip, chunked", body=CHUNKED),
    "chunked, chunked": post(b"Transfer-Encoding: chunked, chunked", body=CHUNKED),
    "quoted chunked": post(b'Transfer-Encoding: "chunked"', body=CHUNKED),
    "chunked with parameter": post(b"Transfer-Encoding: chunked;x=1", body=CHUNKED),
    "vertical tab chunked": post(b"Transfer-Encoding: \x0bchunked", body=CHUNKED),
    "empty coding": post(b"Transfer-Encoding:", body=CHUNKED),
    "identity": post(b"Transfer-Encoding: identity", L),
    "gzip": post(b"Transfer-Encoding: gzip", body=b"x"),
    "coding in 1.0": post(TE, body=CHUNKED, version=b"HTTP/1.0"),
    "chunk with spaces": post(TE, body=b" 5\r\nabcde\r\n0\r\n\r\n"),
    "chunk with space after": post(TE, body=b"5 \r\nabcde\r\n0\r\n\r\n"),
    "chunk plus": post(TE, body=b"+5\r\nabcde\r\n0\r\n\r\n"),
    "chunk size missing": post(TE, body=b"\r\nabcde\r\n0\r\n\r\n"),
    "chunk data too long": post(TE, body=b"3\r\nabcde\r\n0\r\n\r\n"),
    "chunk bare LF": post(TE, body=b"5\nabcde\r\n0\r\n\r\n"),
    "chunk data bare LF": post(TE, body=b"5\r\nabcde\n0\r\n\r\n"),
    "chunk end bare LF": post(TE, body=b"5\r\nabcde\r\n0\n\n"),
    "chunk extension with NUL": post(TE, body=b"5;a=\0\r\nabcde\r\n0\r\n\r\n"),
    "chunk extension with LF": post(TE, body=b"5;a\nb\r\nabcde\r\n0\r\n\r\n"),
    "trailer with space": post(TE, body=b"5\r\nabcde\r\n0\r\nBad name: x\r\n\r\n"),
    "encoded body": post(L, b"Content-Encoding: gzip"),
}


@pytest.mark.parametrize("name", FRAMING)
async def test_ambiguous_framing_is_refused(device: HttpDevice, name: str) -> None:
    answer = await asyncio.wait_for(exchange(device, FRAMING[name] + SMUGGLED), 60)
    found = statuses(answer)
    assert len(found) <= 1, answer
    assert all(400 <= status < 500 or status == 501 for status in found), answer
    assert b"systemready" not in answer
    assert b"apiList" not in answer


GET = b"GET /axis-cgi/usergroup.cgi"
HOST = b"\r\nHost: device\r\n\r\n"
HEADS = {
    "0.9": b"GET /axis-cgi/systemready.cgi\r\n\r\n",
    "0.9 in words": GET + b" HTTP/0.9" + HOST,
    "1.2": GET + b" HTTP/1.2" + HOST,
    "2.0": GET + b" HTTP/2.0" + HOST,
    "h2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "lower-case version": GET + b" http/1.1" + HOST,
    "long version": GET + b" HTTP/1.10" + HOST,
    "no version digits": GET + b" HTTP/" + HOST,
    "other protocol": GET + b" RTSP/1.0" + HOST,
    "two spaces": b"GET  /axis-cgi/usergroup.cgi HTTP/1.1" + HOST,
    "two spaces before the version": GET + b"  HTTP/1.1" + HOST,
    "space at the end of the line": GET + b" HTTP/1.1 " + HOST,
    "LF first": b"\n" + GET + b" HTTP/1.1" + HOST,
    "space first": b" " + GET + b" HTTP/1.1" + HOST,
    "tab": b"GET\t/axis-cgi/usergroup.cgi HTTP/1.1" + HOST,
    "space in target": b"GET /axis cgi/usergroup.cgi HTTP/1.1" + HOST,
    "NUL in target": b"GET /axis-cgi/user\0group.cgi HTTP/1.1" + HOST,
    "8 bit target": "GET /axis-cgi/usergröup.cgi HTTP/1.1".encode("latin-1") + HOST,
    "UTF-8 target": "GET /axis-cgi/usergröup.cgi HTTP/1.1".encode() + HOST,
    "fragment": b"GET /axis-cgi/usergroup.cgi#x HTTP/1.1" + HOST,
    "no slash": b"GET axis-cgi/usergroup.cgi HTTP/1.1" + HOST,
    "other scheme": b"GET file:///etc/passwd HTTP/1.1" + HOST,
    "asterisk": b"GET * HTTP/1.1" + HOST,
    "lower-case method": b"get /axis-cgi/usergroup.cgi HTTP/1.1" + HOST,
    "method with control": b"G\x01T /axis-cgi/usergroup.cgi HTTP/1.1" + HOST,
    "long method": b"G" * 20000 + b" / HTTP/1.1" + HOST,
    "long target": b"GET /" + b"a" * 70000 + b" HTTP/1.1" + HOST,
    "connect": b"CONNECT device:443 HTTP/1.1" + HOST,
    "no host": GET + b" HTTP/1.1\r\n\r\n",
    "two hosts": GET + b" HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "host with space": GET + b" HTTP/1.1\r\nHost: a b\r\n\r\n",
    "host with path": GET + b" HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "host with user": GET + b" HTTP/1.1\r\nHost: a@b\r\n\r\n",
    "empty host": GET + b" HTTP/1.1\r\nHost:\r\n\r\n",
    "bare LF": GET + b" HTTP/1.1\nHost: device\n\n",
    "bare LF in headers": GET + b" HTTP/1.1\r\nHost: device\nX: y\r\n\r\n",
    "bare CR": GET + b" HTTP/1.1\r\nHost: device\rX: y\r\n\r\n",
    "bare CR after name": GET + b" HTTP/1.1\r\nHost: device\r\nX:\ry\r\n\r\n",
    "fold": GET + b" HTTP/1.1\r\nHost: device\r\nX: a\r\n b\r\n\r\n",
    "fold first": GET + b" HTTP/1.1\r\n Host: device\r\n\r\n",
    "tab fold": GET + b" HTTP/1.1\r\nHost: device\r\nX: a\r\n\tb\r\n\r\n",
    "NUL in value": GET + b" HTTP/1.1\r\nHost: device\r\nX: a\0b\r\n\r\n",
    "NUL in name": GET + b" HTTP/1.1\r\nHost: device\r\nX\0Y: a\r\n\r\n",
    "control in value": GET + b" HTTP/1.1\r\nHost: device\r\nX: a\x08b\r\n\r\n",
    "delete in value": GET + b" HTTP/1.1\r\nHost: device\r\nX: a\x7fb\r\n\r\n",
    "no colon": GET + b" HTTP/1.1\r\nHost: device\r\nnonsense\r\n\r\n",
    "empty name": GET + b" HTTP/1.1\r\nHost: device\r\n: x\r\n\r\n",
    "space in name": GET + b" HTTP/1.1\r\nHost: device\r\nX Y: z\r\n\r\n",
    "8 bit name": GET + b" HTTP/1.1\r\nHost: device\r\n\xd6: z\r\n\r\n",
    "parenthesis in name": GET + b" HTTP/1.1\r\nHost: device\r\nX(y): z\r\n\r\n",
    "long header": GET + b" HTTP/1.1\r\nHost: device\r\nX: " + b"a" * 70000 + b"\r\n\r\n",
    "long name": GET + b" HTTP/1.1\r\nHost: device\r\n" + b"a" * 70000 + b": x\r\n\r\n",
    "many headers": GET + b" HTTP/1.1\r\nHost: device\r\n" + b"X: y\r\n" * 2000 + b"\r\n",
    "large head": GET + b" HTTP/1.1\r\nHost: device\r\n" + (b"X: " + b"y" * 4000 + b"\r\n") * 12 + b"\r\n",
    "two logins": GET + b" HTTP/1.1\r\nHost: device\r\nAuthorization: Basic eA==\r\nAuthorization: Digest x\r\n\r\n",
    "expect more": GET + b" HTTP/1.1\r\nHost: device\r\nExpect: 200-ok\r\n\r\n",
    "TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),
    "noise": bytes(range(256)) * 4,
}


@pytest.mark.parametrize("name", HEADS)
async def test_bad_heads_are_refused(device: HttpDevice, name: str) -> None:
    answer = await asyncio.wait_for(exchange(device, HEADS[name], SMUGGLED), 60)
    found = statuses(answer)
    assert len(found) <= 1, answer
    assert all(400 <= status < 500 or status in (501, 505) for status in found), answer
    assert b"401" not in answer[:16], "it was looked at"


PATHS = (
    "/axis-cgi/../axis-cgi/usergroup.cgi",
    "/../../etc/passwd",
    "/axis-cgi/%2e%2e/usergroup.cgi",
    "/%2e%2e%2fetc/passwd",
    "/axis-cgi/usergroup.cgi%00",
    "/axis-cgi/usergroup.cgi%00.html",
    "/axis-cgi\\usergroup.cgi",
    "/axis-cgi%5cusergroup.cgi",
    "/axis-cgi/./usergroup.cgi",
    "/.%2e/axis-cgi/usergroup.cgi",
    "/axis-cgi/%0d%0ausergroup.cgi",
    "/axis-cgi/%zz",
    "/axis-cgi/%",
    "/axis-cgi/usergroup.cgi?x=%00",
    "/%c0%ae%c0%ae/etc/passwd",
    "/axis-cgi/usergroup.cgi/",
    "//axis-cgi/usergroup.cgi",
    "/axis-cgi//usergroup.cgi",
    "/AXIS-CGI/usergroup.cgi",
    "/axis-cgi/usergroup%2ecgi",
    "/axis-cgi/usergroup.cgi;x",
    "/axis-cgi/..;/usergroup.cgi",
    "/etc/passwd",
    "/axis-cgi/usergroup.cgi%20",
    "/%2f%2faxis-cgi/usergroup.cgi",
)


@pytest.mark.parametrize("path", PATHS)
async def test_odd_paths_reach_nothing(device: HttpDevice, path: str) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: device\r\nConnection: close\r\n\r\n".encode()
    assert statuses(await exchange(device, request))[0] in (400, 404)


async def test_requests_cut_anywhere_are_not_served(device: HttpDevice) -> None:
    whole = post(L)
    host, _, port = device.http.removeprefix("http://").partition(":")
    for cut in itertools.chain(range(1, len(whole) - 1, 7), [len(whole) - 1]):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(whole[:cut])
        writer.write_eof()
        assert b"systemready" not in await reader.read()
        writer.close()


async def test_a_request_in_single_octets_is_served(device: HttpDevice) -> None:
    whole = post(L, b"Connection: close")
    assert statuses(await exchange(device, *(whole[i : i + 1] for i in range(len(whole))))) == [200]


async def test_bodies_in_many_segments_are_served(device: HttpDevice) -> None:
    """A segment of a body may come at any moment, also between the head's being read and its handler's start."""
    body = READY + b"\n" * 60_000
    whole = post(b"Content-Length: %d" % len(body), body=body)
    parts = [whole[i : i + 7000] for i in range(0, len(whole), 7000)]
    last = post(L, b"Connection: close")
    assert statuses(await exchange(device, *parts * 40, last)) == [200] * 41


async def test_too_large_bodies_are_refused(device: HttpDevice) -> None:
    announced = post(b"Content-Length: 100000000", body=b"x" * 1000)
    assert statuses(await exchange(device, announced)) == [413]
    chunks = post(TE, body=b"2000\r\n" + b" " * 8192 + b"\r\n")
    answer = await exchange(device, chunks, *(b"2000\r\n" + b" " * 8192 + b"\r\n" for _ in range(20)))
    assert statuses(answer) in ([413], [])


async def test_slow_heads_are_ended(tmp_path: Path) -> None:
    limits = ConnectionLimits(header_timeout=0.2, idle_timeout=0.4)
    async with HttpDevice(tmp_path, limits=limits) as device:
        slow = await asyncio.wait_for(exchange(device, *[b"G"] + [b"E", b"T"] * 10, wait=0.1), 60)
        assert slow == b""
        assert await asyncio.wait_for(exchange(device), 60) == b"", "idle connections end too"


async def test_the_longest_idle_connection_makes_room(tmp_path: Path) -> None:
    limits = ConnectionLimits(connections=8)
    async with HttpDevice(tmp_path, limits=limits) as device:
        host, _, port = device.http.removeprefix("http://").partition(":")
        idle = [await asyncio.open_connection(host, int(port)) for _ in range(40)]
        for _, writer in idle:
            writer.write(b"POST /axis-cgi/systemready.cgi HTTP/1.1\r\nX: ")
        assert statuses(await exchange(device, post(L, b"Connection: close"))) == [200]
        for _, writer in idle:
            writer.close()


async def test_slow_bodies_make_room_too(tmp_path: Path) -> None:
    async with HttpDevice(tmp_path, limits=ConnectionLimits(connections=8)) as device:
        host, _, port = device.http.removeprefix("http://").partition(":")
        slow = [await asyncio.open_connection(host, int(port)) for _ in range(8)]
        for _, writer in slow:
            writer.write(post(b"Content-Length: 50", body=b"x"))
        await asyncio.sleep(0.05)
        assert statuses(await exchange(device, post(L, b"Connection: close"))) == [200]
        for _, writer in slow:
            writer.close()


async def test_answers_that_are_not_read_end_the_connection(tmp_path: Path) -> None:
    async with HttpDevice(tmp_path, limits=ConnectionLimits(write_timeout=0.2)) as device:
        host, _, port = device.http.removeprefix("http://").partition(":")
        _reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
        ask = b"POST /axis-cgi/apidiscovery.cgi HTTP/1.1\r\nHost: x\r\nContent-Length: 43\r\n\r\n"
        ask = (ask + b'{"apiVersion":"1.0","method":"getApiList" }') * 1000

        async def flood() -> None:
            for _ in range(100):
                writer.write(ask)
                await asyncio.wait_for(writer.drain(), 60)

        with pytest.raises(ConnectionError):
            await flood()
        writer.close()


async def test_noise_never_breaks_the_server(device: HttpDevice, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        for name, data in {**FRAMING, **HEADS}.items():
            for cut in (len(data) // 3, len(data) // 2):
                await asyncio.wait_for(exchange(device, data[:cut], data[cut:] + SMUGGLED), 60)
                assert not caplog.records, name
