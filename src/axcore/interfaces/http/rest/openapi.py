"""``/config/discover``, ``/config/discover/apis`` and ``/openapi.json``: what this device serves, from its route table.

Nothing here is written by hand: paths, roles and methods come from the routes, types from the msgspec structs that the
handlers use.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiohttp import web

from axcore import __version__
from axcore.interfaces.http.rest.envelope import BASE, ErrorBody, RestRoute, arguments, plain, rest
from axcore.interfaces.http.routes import Route, RouteTable
from axcore.model.accounts import Role

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request

DISCOVER: Final = "/config/discover"
_REST_PATH: Final = re.compile(rf"{BASE}/(?P<api>[a-z-]+)/v(?P<major>[0-9]+)(?P<rest>/.*)?")
_PARAMETER: Final = re.compile(r"\{([a-z_]+)\}")
_COMPONENTS: Final = "#/components/schemas/{name}"
_JSON: Final = "application/json"


def rest_apis(routes: Iterable[Route]) -> dict[str, int]:
    """Name and major version of every REST API in the table."""
    found = {}
    for route in routes:
        match = _REST_PATH.fullmatch(route.path)
        if match:
            found[match["api"]] = int(match["major"])
    return dict(sorted(found.items()))


def api_list(routes: Iterable[Route]) -> dict[str, Any]:
    """What ``/config/discover/apis`` tells: API, version, and where it is and is described."""
    apis = {}
    for name, major in rest_apis(routes).items():
        version = f"v{major}"
        apis[name] = {
            version: {
                "state": "released",
                "version": f"{major}.0.0",
                "rest_api": f"{BASE}/{name}/{version}",
                "openapi": f"{DISCOVER}/apis/{name}/{version}/openapi.json",
            }
        }
    return apis


def _types(routes: Iterable[RestRoute]) -> list[Any]:
    return [kind for route in routes for kind in (route.body, route.data) if kind is not None]


def _object(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required}


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {_JSON: {"schema": schema}}


def _partial(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """The schema of a change: the same fields, none of them required and none with a default."""
    name = schema.get("$ref", "").rpartition("/")[2]
    schema = definitions.get(name, schema)
    fields = {
        field: {key: value for key, value in spec.items() if key != "default"}
        for field, spec in schema.get("properties", {}).items()
    }
    return {"type": "object", "properties": fields, "additionalProperties": False}


def _success(route: RestRoute, schema: dict[str, Any] | None) -> dict[str, Any]:
    properties: dict[str, Any] = {"status": {"const": "success"}}
    if schema is not None:
        properties["data"] = schema
    return {"description": "Done", "content": _content(_object(properties, list(properties)))}


def operation(route: Route, schemas: dict[int, dict[str, Any]], definitions: dict[str, Any]) -> dict[str, Any]:
    """One operation of the ``paths`` of an OpenAPI document. ``schemas`` are by ``id`` of the type."""
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(route.path)
    ]
    spoken: dict[str, Any] = {"operationId": f"{route.name}", "x-axcore-role": route.role.name.lower()}
    if isinstance(route, RestRoute):
        spoken["summary"] = route.summary
        parameters += [
            {"name": name, "in": "query", "required": False, "description": meaning, "schema": {"type": "string"}}
            for name, meaning in route.query.items()
        ]
        if route.body is not None:
            schema = schemas[id(route.body)]
            schema = _partial(schema, definitions) if route.partial else schema
            spoken["requestBody"] = {"required": True, "content": _content(_object({"data": schema}, ["data"]))}
        data = None if route.data is None else schemas[id(route.data)]
        error = _object({"status": {"const": "error"}, "error": schemas[id(ErrorBody)]}, ["status", "error"])
        spoken["responses"] = {
            str(route.status): _success(route, data),
            "default": {"description": "Refused; nothing was changed", "content": _content(error)},
        }
    else:
        spoken["responses"] = {"200": {"description": "See the interface description of this CGI"}}
    if parameters:
        spoken["parameters"] = parameters
    if route.role is Role.ANONYMOUS:
        spoken["security"] = []
    return spoken


def document(routes: Iterable[Route], title: str) -> dict[str, Any]:
    """An OpenAPI 3.1 document of these routes."""
    chosen = tuple(routes)
    kinds = [*_types(route for route in chosen if isinstance(route, RestRoute)), ErrorBody]
    parts, definitions = msgspec.json.schema_components(kinds, ref_template=_COMPONENTS)
    schemas = {id(kind): schema for kind, schema in zip(kinds, parts, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for route in chosen:
        paths.setdefault(route.path, {})[route.method.lower()] = operation(route, schemas, definitions)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": __version__},
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": definitions,
            "securitySchemes": {
                "digest": {"type": "http", "scheme": "digest"},
                "basic": {"type": "http", "scheme": "basic", "description": "Over HTTPS only, unless configured"},
            },
        },
        "security": [{"digest": []}, {"basic": []}],
    }


@lru_cache(maxsize=4)
def _full(table: RouteTable) -> bytes:
    return msgspec.json.encode(document(table, "axcore"))


def _table(ctx: Context) -> RouteTable:
    assert ctx.routes is not None, "the server sets it before it serves"
    return ctx.routes


async def get_discover(request: Request, ctx: Context) -> web.Response:
    """Where the list of APIs is."""
    arguments(request)
    return plain({"apis": f"{DISCOVER}/apis", "openapi": "/openapi.json"})


async def get_apis(request: Request, ctx: Context) -> web.Response:
    """The REST APIs."""
    arguments(request)
    return plain(api_list(_table(ctx)))


async def get_api_openapi(request: Request, ctx: Context) -> web.Response:
    """The OpenAPI document of one REST API."""
    prefix = f"{BASE}/{request.path_params['api']}/{request.path_params['version']}/"
    routes = [route for route in _table(ctx) if route.path.startswith(prefix)]
    if not routes:
        return plain({"status": "error", "error": {"code": "not_found", "message": "there is no such API"}}, 404)
    return plain(document(routes, f"axcore: {request.path_params['api']}"))


async def get_openapi(request: Request, ctx: Context) -> web.Response:
    """The OpenAPI document of everything."""
    arguments(request)
    return web.Response(body=_full(_table(ctx)), content_type=_JSON)


ROUTES: Final = (
    RestRoute(
        method="GET", path=DISCOVER, role=Role.VIEWER, name="discover", safe=True, handler=rest(get_discover),
        summary="Where the list of APIs is",
    ),
    RestRoute(
        method="GET", path=f"{DISCOVER}/apis", role=Role.VIEWER, name="discover.apis", safe=True,
        handler=rest(get_apis), summary="The REST APIs of this device",
    ),
    RestRoute(
        method="GET", path=f"{DISCOVER}/apis/{{api}}/{{version}}/openapi.json", role=Role.VIEWER,
        name="discover.openapi", safe=True, handler=rest(get_api_openapi), summary="OpenAPI document of one API",
    ),
    RestRoute(
        method="GET", path="/openapi.json", role=Role.VIEWER, name="openapi", safe=True, handler=rest(get_openapi),
        summary="OpenAPI document of all routes",
    ),
)  # fmt: skip
