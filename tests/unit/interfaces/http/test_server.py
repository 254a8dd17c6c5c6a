"""The server as a whole: TLS, limits, errors, stop."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import ssl
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import http_parser, web

from axcore.errors import ConflictError, InputError, LimitError, NotFoundError, QueueFullError, StoreError
from axcore.interfaces.http import tls
from axcore.interfaces.http.context import Context, Request
from axcore.interfaces.http.errors import HttpError
from axcore.interfaces.http.routes import Route, RouteTable
from axcore.interfaces.http.server import HttpOptions, HttpServer
from axcore.model.accounts import Role
from axcore.testing.http import HttpDevice

FAILURES: dict[str, Exception] = {
    "input": InputError("a.b", "is wrong"),
    "limit": LimitError("a", "is full"),
    "conflict": ConflictError("a", "is there"),
    "missing": NotFoundError("a", "is not there"),
    "store": StoreError("/secret/path", "disk is full"),
    "busy": QueueFullError("full"),
    "http": HttpError(418, "no coffee", headers={"X-Pot": "1"}),
    "bug": RuntimeError("secret detail"),
}


async def fail(request: Request, _ctx: Context) -> web.Response:
    raise FAILURES[request.path_params["id"]]


async def echo(request: Request, _ctx: Context) -> web.Response:
    return web.Response(body=await request.read())


TABLE = RouteTable(
    [
        Route(method="GET", path="/fail/{id}", role=Role.VIEWER, handler=fail, name="fail"),
        Route(method="GET", path="/config/rest/fail/{id}", role=Role.VIEWER, handler=fail, name="rest-fail"),
        Route(method="POST", path="/echo", role=Role.VIEWER, handler=echo, name="echo", max_body=100),
    ]
)


@pytest_asyncio.fixture
async def device(tmp_path: Path) -> AsyncIterator[HttpDevice]:
    async with HttpDevice(tmp_path, routes=TABLE) as device:
        device.add_account("root", "pass")
        yield device


STATUS = {
    "input": 400,
    "limit": 400,
    "conflict": 409,
    "missing": 404,
    "store": 503,
    "busy": 503,
    "http": 418,
    "bug": 500,
}


@pytest.mark.parametrize("name", FAILURES)
async def test_failures_of_handlers(device: HttpDevice, name: str) -> None:
    for path in (f"/fail/{name}", f"/config/rest/fail/{name}"):
        reply = await device.request("GET", path, user="root")
        assert reply.status == STATUS[name]
        assert b"secret" not in reply.body
        if path.startswith("/config"):
            assert json.loads(reply.body)["status"] == "error"
            assert set(json.loads(reply.body)["error"]) == {"code", "message"}
        else:
            assert reply.headers["Content-Type"].startswith("text/plain")


async def test_headers_of_every_answer(device: HttpDevice) -> None:
    for path in ("/echo", "/nothing", "/fail/bug"):
        reply = await device.request("GET", path, user="root")
        assert reply.headers["Server"] == "axcore"
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert reply.headers["Cache-Control"] == "no-store"


async def test_body_limit_of_a_route(device: HttpDevice) -> None:
    assert (await device.request("POST", "/echo", user="root", data=b"x" * 100)).body == b"x" * 100
    assert (await device.request("POST", "/echo", user="root", data=b"x" * 101)).status == 413


async def test_tls(device: HttpDevice) -> None:
    host, _, port = device.https.removeprefix("https://").partition(":")
    trust = ssl.create_default_context(cafile=str(device.server._options.data_dir / tls.FILE))
    for name in ("localhost", "127.0.0.1"):
        _, writer = await asyncio.open_connection(host, int(port), ssl=trust, server_hostname=name)
        session = writer.get_extra_info("ssl_object")
        assert session.version() in ("TLSv1.2", "TLSv1.3")
        writer.close()
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await asyncio.open_connection(host, int(port), ssl=old)


def test_the_certificate_is_made_once_and_private(tmp_path: Path) -> None:
    tls.server_context(tmp_path, "AXIS_X")
    path = tmp_path / tls.FILE
    first = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert b"PRIVATE KEY" in first
    tls.server_context(tmp_path, "AXIS_X")
    assert path.read_bytes() == first


async def test_a_damaged_certificate_is_told(tmp_path: Path) -> None:
    (tmp_path / tls.FILE).write_bytes(b"no certificate")
    device = HttpDevice(tmp_path, routes=TABLE)
    with pytest.raises(ssl.SSLError):
        await device.server.start()


async def test_without_python_the_certificate_is_made_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls.sys, "executable", "/nonexistent")
    assert tls.server_context(tmp_path, "AXIS_X").minimum_version is ssl.TLSVersion.TLSv1_2


async def test_stop_ends_idle_and_busy_connections(tmp_path: Path) -> None:
    started, release = asyncio.Event(), asyncio.Event()

    async def slow(_request: Request, _ctx: Context) -> web.Response:
        started.set()
        await release.wait()
        return web.Response(text="done")

    table = RouteTable([Route(method="GET", path="/slow", role=Role.ANONYMOUS, handler=slow, name="slow")])
    device = HttpDevice(tmp_path, routes=table)
    device.add_account("root", "pass")
    await device.server.start()
    host, _, port = device.http.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    busy = asyncio.create_task(device.request("GET", "/slow"))
    await started.wait()
    stopping = asyncio.create_task(device.server.stop())
    assert await reader.read() == b""
    assert not stopping.done()
    release.set()
    assert (await busy).text == "done", "what was asked before is answered"
    await stopping
    with pytest.raises(ConnectionError):
        await asyncio.open_connection(host, int(port))
    writer.close()


async def test_an_address_in_use_is_told(device: HttpDevice, tmp_path: Path) -> None:
    port = int(device.http.rpartition(":")[2])
    options = HttpOptions(data_dir=tmp_path, http_port=port, https_port=None)
    with pytest.raises(OSError, match="address"):
        await HttpServer(device.ctx, options, TABLE).start()


async def test_a_slow_body_is_ended(tmp_path: Path) -> None:
    device = HttpDevice(tmp_path, routes=TABLE)
    device.server._options = dataclasses.replace(device.server._options, body_timeout=0.1)
    async with device:
        host, _, port = device.http.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nabc")
        assert (await reader.read()).startswith(b"HTTP/1.1 408 ")
        writer.close()


def test_the_c_parser_is_required(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(http_parser, "HttpRequestParserC")
    with pytest.raises(RuntimeError, match="C parser"):
        HttpDevice(tmp_path, routes=TABLE)
