"""The one table of routes. Every module of ``vapix`` and ``rest`` names its own in ``ROUTES``; nothing else is served.

A route holds method, path, least role, handler and name. Authorisation tests, API discovery and the OpenAPI page come
from this table, so a route without an entry cannot exist. Paths are exact, or have ``{id}`` parts: one segment each.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote_to_bytes

from axcore.model.accounts import Identity, Role

if TYPE_CHECKING:
    from aiohttp import web

    from .context import Context, Request

Handler = Callable[["Request", "Context"], Awaitable["web.StreamResponse"]]
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

MAX_BODY = 65536
"""Octets a request body may have unless its route says otherwise."""

_PART = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, kw_only=True)
class Route:
    """One thing that the device answers to."""

    method: Method
    path: str
    role: Role
    """Least role. A handler may ask for more (``request.require``), never for less."""
    handler: Handler
    name: str
    """Unique, for logs and tests: ``"param"``, ``"entry-list.add"``."""
    safe: bool = False
    """The request changes nothing, whoever sends it: pages of other origins may cause it."""
    before_setup: bool = False
    """Answers although no administrator exists yet."""
    max_body: int = MAX_BODY
    """Octets; more is answered with 413."""
    endless: bool = False
    """The handler reads the body as it comes, once it has said that it wants it (``Request.welcome``)."""
    login: Callable[[Request, Context], Identity | None] | None = None
    """Another way to tell who asks, for a request without an Authorization header."""
    roles: Mapping[str, Role] = field(default_factory=dict)
    """Where one path serves several methods of an API: least role by method name (as told by the tests)."""


@dataclass(frozen=True, kw_only=True)
class ApiEntry:
    """What ``apidiscovery.cgi`` tells about an API. Modules name theirs in ``APIS``."""

    id: str
    name: str
    version: str
    status: str = "official"
    doc: str = ""


class Match:
    """Outcome of a look-up: the route with its path parameters, or the methods that the path has instead."""

    __slots__ = ("allowed", "params", "route")

    def __init__(self, route: Route | None, params: dict[str, str], allowed: tuple[str, ...]) -> None:
        self.route = route
        self.params = params
        self.allowed = allowed


class RouteTable:
    """All routes of a device. Raises ValueError for two routes with the same method and path, or the same name."""

    def __init__(self, routes: Iterable[Route], apis: Iterable[ApiEntry] = ()) -> None:
        self._exact: dict[str, dict[str, Route]] = {}
        self._patterns: list[tuple[re.Pattern[str], dict[str, Route]]] = []
        self._routes = tuple(routes)
        self.apis = tuple(sorted(apis, key=lambda api: (api.id, api.version)))
        patterns: dict[str, dict[str, Route]] = {}
        names: set[str] = set()
        for route in self._routes:
            group = (patterns if "{" in route.path else self._exact).setdefault(route.path, {})
            if route.method in group or route.name in names:
                raise ValueError(f"route {route.name} ({route.method} {route.path}) is there twice")
            group[route.method] = route
            names.add(route.name)
        for path, group in patterns.items():
            self._patterns.append((_compile(path), group))

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)

    def __len__(self) -> int:
        return len(self._routes)

    def find(self, method: str, path: str) -> Match:
        """The route of a request. ``path`` is the raw path of the target; a HEAD is answered by the GET of its path."""
        group = self._exact.get(path)
        params: dict[str, str] = {}
        if group is None:
            for regex, candidate in self._patterns:
                found = regex.fullmatch(path)
                if found is not None:
                    group, params = candidate, {key: _segment(value) for key, value in found.groupdict().items()}
                    break
            else:
                return Match(None, {}, ())
        route = group.get("GET" if method == "HEAD" else method)
        return Match(route, params, tuple(sorted(group)))


def _compile(path: str) -> re.Pattern[str]:
    parts = re.split(r"(\{[a-z_]+\})", path)
    return re.compile("".join(f"(?P<{p[1:-1]}>[^/]+)" if _PART.fullmatch(p) else re.escape(p) for p in parts))


def _segment(text: str) -> str:
    """A percent-decoded path segment; ``""`` (which no record is called) if it is not UTF-8 text or hides a slash."""
    try:
        value = unquote_to_bytes(text).decode("utf-8")
    except UnicodeDecodeError:
        return ""
    return value if value.isprintable() and "/" not in value else ""


def _modules(left_out: Set[str]) -> Iterator[ModuleType]:
    for family in ("vapix", "rest"):
        package = importlib.import_module(f"axcore.interfaces.http.{family}")
        for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda info: info.name):
            if info.name not in left_out:
                yield importlib.import_module(f"{package.__name__}.{info.name}")


def collect(*, exclude: Iterable[str] = ()) -> RouteTable:
    """The table of every module of the families but ``exclude``, which are not even loaded."""
    routes: list[Route] = []
    apis: list[ApiEntry] = []
    for module in _modules(frozenset(exclude)):
        routes += getattr(module, "ROUTES", ())
        apis += getattr(module, "APIS", ())
    return RouteTable(routes, apis)
