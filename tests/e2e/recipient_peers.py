"""Servers that recipients deliver to, and a device that delivers."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from axcore.interfaces.cli import client as net
from axcore.interfaces.cli.instance import Instance, wait_for
from axcore.model import events
from axcore.testing.mosquitto import Authority
from tests.e2e.patience import PATIENCE

RECIPIENTS = "/config/rest/recipients/v1/recipients"
TEST = "/config/rest/recipients/v1/test"


def server_context(folder: Path) -> ssl.SSLContext:
    """Of a server whose certificate nobody trusts yet."""
    authority = Authority()
    (folder / "cert").write_text(authority.server)
    (folder / "key").write_text(authority.server_key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "cert", folder / "key")
    return context


class Peers:
    """A loop in a thread, on which servers run."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.got: list[dict[str, Any]] = []
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self._closers: list[Callable[[], Any]] = []

    def run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE)

    def close(self) -> None:
        for closer in reversed(self._closers):
            closer()
        self.run(self._end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    @staticmethod
    async def _end() -> None:
        """Conversations that are under way end; the loop closes their connections."""
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def wait(self, **wanted: Any) -> dict[str, Any]:
        """What a server was given."""

        def look() -> dict[str, Any] | None:
            return next((each for each in self.got if wanted.items() <= each.items()), None)

        found: dict[str, Any] = wait_for(f"a message {wanted}", look, PATIENCE)
        return found

    def http(self, *, context: ssl.SSLContext | None = None, login: str = "", status: int = 200) -> int:
        """A web server that keeps what it is sent. ``login`` asks for digest ("digest") or basic ("basic")."""

        async def handle(request: web.Request) -> web.Response:
            given = request.headers.get("Authorization", "")
            if login and not given.lower().startswith(login):
                challenge = 'Digest realm="r", nonce="n", qop="auth", algorithm=MD5' if login == "digest" else "Basic"
                return web.Response(status=401, headers={"WWW-Authenticate": challenge})
            body = await request.text()
            self.got.append(
                {"method": request.method, "path": request.path_qs, "body": body, "login": given.partition(" ")[0],
                 "name": request.headers.get("Content-Disposition", "")}
            )  # fmt: skip
            return web.Response(status=status)

        return self.web(handle, context)

    def web(
        self, handle: Callable[[web.Request], Awaitable[web.StreamResponse]], context: ssl.SSLContext | None = None
    ) -> int:
        """A web server that answers by ``handle``."""

        async def start() -> int:
            runner = web.AppRunner(web.Application())
            runner.app.router.add_route("*", "/{tail:.*}", handle)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
            await site.start()
            self._closers.append(lambda: self.run(runner.cleanup()))
            return int(runner.addresses[0][1])

        return int(self.run(start()))

    def tcp(self, answer: Callable[[bytes], None] | None = None) -> int:
        """A TCP server that keeps what it is sent; it never answers."""

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):  # streams complain of a cancelled task
                data = await reader.read()
                self.got.append({"tcp": data.decode(errors="replace")})
            writer.close()

        async def start() -> int:
            server = await asyncio.start_server(handle, "127.0.0.1", 0)
            self._closers.append(lambda: self.loop.call_soon_threadsafe(server.close))
            return int(server.sockets[0].getsockname()[1])

        return int(self.run(start()))


class Site:
    def __init__(self, device: Instance) -> None:
        self.device = device
        self.client = device.client(70.0)
        self.log = net.EventLog(self.client)

    def add(self, name: str, **target: Any) -> str:
        return str(self.client.rest("POST", RECIPIENTS, {"name": name, "target": target})["id"])

    def test(self, **target: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.client.rest("POST", TEST, {"name": "t", "target": target})
        return found

    def rule(self, port: int, **action: Any) -> None:
        condition = {"topic": events.IO_VIRTUAL_INPUT, "source": {"port": str(port)}}
        self.client.rest("POST", net.RULES, {"name": f"rule {port}", "conditions": [condition], "action": action})

    def fire(self, port: int, active: bool = True) -> None:
        verb = "activate" if active else "deactivate"
        self.client.text("GET", f"/axis-cgi/virtualinput/{verb}.cgi?schemaversion=1&port={port}")

    def failures(self) -> list[str]:
        return [event["data"]["reason"] for event in self.log.all() if event["topic"] == events.ACTION_FAILED]
