"""The authorisation matrix, generated from the table of routes: every route x every role, over the real server.

A route that somebody may use is given a handler that only says so; a route that somebody may not use must not reach it.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web

from axcore.interfaces.http.context import Context, Request
from axcore.interfaces.http.routes import Match, Route, RouteTable, collect
from axcore.model.accounts import Role
from axcore.testing.http import HttpDevice

TABLE = collect()
ACCOUNTS = {"view": Role.VIEWER, "oper": Role.OPERATOR, "root": Role.ADMIN}


async def reached(request: Request, _ctx: Context) -> web.Response:
    return web.Response(text=f"reached as {request.identity.role.name}")


@pytest_asyncio.fixture
async def device(tmp_path: Path) -> AsyncIterator[HttpDevice]:
    table = RouteTable([dataclasses.replace(route, handler=reached) for route in TABLE], TABLE.apis)
    async with HttpDevice(tmp_path, routes=table) as device:
        for name in ("root", "oper", "view"):
            device.add_account(name, "pass", ACCOUNTS[name])
        yield device


async def test_every_route_for_every_role(device: HttpDevice) -> None:
    for route in TABLE:
        path = re.sub(r"\{[a-z_]+\}", "1", route.path)
        for user in (None, *ACCOUNTS):
            role = ACCOUNTS[user] if user else Role.ANONYMOUS
            reply = await device.request(route.method, path, user=user)
            if role >= route.role:
                assert (reply.status, reply.text) == (200, f"reached as {role.name}"), (route.name, user)
            else:
                assert reply.status == (403 if user else 401), (route.name, user)


def test_only_these_routes_are_anonymous() -> None:
    anonymous = {route.path for route in TABLE if route.role is Role.ANONYMOUS}
    assert anonymous == {
        "/axis-cgi/systemready.cgi",
        "/axis-cgi/apidiscovery.cgi",
        "/axis-cgi/basicdeviceinfo.cgi",
    }


def test_safe_routes_are_gets_or_only_read() -> None:
    for route in TABLE:
        if route.safe and route.method != "GET":
            assert all(name.startswith(("get", "systemready")) for name in route.roles), route.name


def test_only_these_routes_answer_before_setup() -> None:
    early = {route.path.removeprefix("/axis-cgi/") for route in TABLE if route.before_setup}
    assert early == {"systemready.cgi", "apidiscovery.cgi", "basicdeviceinfo.cgi", "pwdgrp.cgi"}


async def test_methods_and_paths(device: HttpDevice) -> None:
    reply = await device.request("DELETE", "/axis-cgi/param.cgi", user="root")
    assert reply.status == 405
    assert reply.headers["Allow"] == "GET, POST, HEAD"
    assert (await device.request("GET", "/nothing", user="root")).status == 404
    head = await device.request("HEAD", "/axis-cgi/usergroup.cgi", user="root")
    assert (head.status, head.body) == (200, b"")


def test_patterns_take_one_segment() -> None:
    def route(path: str, name: str) -> Route:
        return Route(method="GET", path=path, role=Role.VIEWER, handler=reached, name=name)

    table = RouteTable([route("/a/{id}", "one"), route("/a/{id}/b", "two"), route("/a/x.y", "exact")])

    def find(path: str) -> tuple[str | None, dict[str, str]]:
        match: Match = table.find("GET", path)
        return (match.route.name if match.route else None), match.params

    assert find("/a/1") == ("one", {"id": "1"})
    assert find("/a/1/b") == ("two", {"id": "1"})
    assert find("/a/x.y") == ("exact", {})
    assert find("/a/x_y") == ("one", {"id": "x_y"})
    assert find("/a/") == (None, {})
    assert find("/a/%C3%A9") == ("one", {"id": "é"})
    assert find("/a/%ff") == ("one", {"id": ""})
    assert find("/a/b%2fc") == ("one", {"id": ""})
    with pytest.raises(ValueError, match="twice"):
        RouteTable([route("/a", "x"), route("/a", "y")])
    with pytest.raises(ValueError, match="twice"):
        RouteTable([route("/a", "x"), route("/b", "x")])
