"""The JSON family of CGIs: one POST body ``{apiVersion, context?, method, params?}`` and its reply envelope.

Replies are HTTP 200 even on error, with ``error: {code, message}``. Error codes differ by generation of the API; the
three tables are here. A missing login is HTTP 401 and a too small role HTTP 403 (with the error as body), as clients
expect.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgspec
from aiohttp import web

from axcore.errors import AxError, InputError
from axcore.interfaces.http.context import Context, Request
from axcore.interfaces.http.errors import ForbiddenError
from axcore.interfaces.http.jsonin import MissingFieldError, convert, parse_json
from axcore.interfaces.http.routes import ApiEntry, Route
from axcore.model.accounts import Role

log = logging.getLogger(__name__)
T = TypeVar("T")
MAX_CONTEXT: Final = 1024


@dataclass(frozen=True, kw_only=True)
class Codes:
    """The general error codes of a generation. ``not_post`` None: a GET is HTTP 405."""

    internal: int
    invalid_request: int
    bad_json: int
    unknown_version: int
    unknown_method: int
    missing: int
    invalid: int
    authorization: int
    not_post: int | None = None


GEN1: Final = Codes(
    internal=8000, invalid_request=4000, bad_json=4000, unknown_version=2003, unknown_method=2004, missing=4002,
    invalid=1000, authorization=2001, not_post=2002,
)  # fmt: skip
GEN2: Final = Codes(
    internal=1000, invalid_request=2000, bad_json=3000, unknown_version=4001, unknown_method=4000, missing=4003,
    invalid=4004, authorization=4002,
)  # fmt: skip
GEN3: Final = Codes(
    internal=1100, invalid_request=2101, bad_json=2101, unknown_version=2100, unknown_method=2102, missing=2103,
    invalid=2104, authorization=2105,
)  # fmt: skip


class AjrError(Exception):
    """Ends a call with an error of the API's own table; ``extra`` is merged into ``error`` (``details`` ...)."""

    def __init__(self, code: int, message: str, **extra: Any) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message
        self.extra = extra


@dataclass(frozen=True)
class Call:
    """One call of a method."""

    request: Request
    ctx: Context
    version: str
    params: Any
    """What came as ``params``; ``{}`` if nothing came. Most methods use ``read``."""

    def read(self, kind: type[T]) -> T:
        """``params`` as a typed struct. Raises InputError, which becomes the API's *missing* or *invalid* error."""
        return convert(self.params, kind)


MethodHandler = Callable[[Call], Awaitable[Any]]
"""Gives back ``data`` (None: an empty object). Raises InputError, AjrError, HttpError."""


class AjrApi:
    """An API of this family: its versions, its methods and their roles.

    ``versions`` are the supported ones, oldest first. A request for an older minor version of a supported major one is
    served. ``getSupportedVersions`` is always there and needs no version.
    """

    def __init__(
        self,
        *,
        api_id: str,
        name: str,
        path: str,
        versions: tuple[str, ...],
        codes: Codes,
        omit_method: bool = False,
        versions_role: Role = Role.VIEWER,
    ) -> None:
        self.id = api_id
        self.name = name
        self.path = path
        self.versions = versions
        self.codes = codes
        self._omit_method = omit_method
        self._methods: dict[str, tuple[Role, bool, MethodHandler]] = {}
        self.add("getSupportedVersions", versions_role, self._supported_versions, safe=True)

    def add(self, method: str, role: Role, handler: MethodHandler, *, safe: bool = False) -> None:
        """Serve ``method`` for ``role`` and above; ``safe`` if it changes nothing."""
        self._methods[method] = (role, safe, handler)

    def method(self, method: str, role: Role, *, safe: bool = False) -> Callable[[MethodHandler], MethodHandler]:
        """Decorator form of ``add``."""

        def decorate(handler: MethodHandler) -> MethodHandler:
            self.add(method, role, handler, safe=safe)
            return handler

        return decorate

    def entry(self) -> ApiEntry:
        """The line of this API in apidiscovery."""
        return ApiEntry(id=self.id, name=self.name, version=self.versions[-1])

    def routes(self, *, before_setup: bool = False) -> tuple[Route, ...]:
        """The routes to list in ``ROUTES``."""
        roles = {name: role for name, (role, _, _) in self._methods.items()}
        least = min(roles.values())
        safe = all(safe for _, safe, _ in self._methods.values())
        post = Route(
            method="POST", path=self.path, role=least, handler=self.serve, name=self.id, safe=safe,
            before_setup=before_setup, roles=roles,
        )  # fmt: skip
        if self.codes.not_post is None:
            return (post,)
        get = Route(
            method="GET", path=self.path, role=least, handler=self._serve_get, name=f"{self.id}.get", safe=True,
            before_setup=before_setup,
        )  # fmt: skip
        return post, get

    async def _serve_get(self, _request: Request, _ctx: Context) -> web.Response:
        assert self.codes.not_post is not None
        refusal = AjrError(self.codes.not_post, "HTTP request type not supported. Only POST is supported.")
        return _json(*self._error({}, refusal))

    async def _supported_versions(self, _call: Call) -> Any:
        return {"apiVersions": list(self.versions)}

    async def serve(self, request: Request, ctx: Context) -> web.Response:
        """Answer one request: every outcome but a missing login is an envelope."""
        return _json(*await self.answer(await request.read(), request, ctx))

    async def answer(
        self, body: bytes, request: Request, ctx: Context, *, file: bytes | None = None
    ) -> tuple[dict[str, Any], int]:
        """The reply to one call, and its HTTP status where it travels as a response. ``request`` is who asks.

        ``file`` is another part of the body, added to the params.
        """
        envelope: dict[str, Any] = {}
        try:
            method, version, params = self._open(body, envelope)
            if file is not None and isinstance(params, dict):
                params = {**params, "file": file}
            role, _, handler = self._methods[method]
            request.require(role)
            data = await handler(Call(request, ctx, version, params))
        except AjrError as error:
            return self._error(envelope, error)
        except ForbiddenError:
            refusal = AjrError(self.codes.authorization, "Authorization failed: the account lacks the privileges.")
            return self._error(envelope, refusal, status=403)
        except MissingFieldError as error:
            return self._error(envelope, AjrError(self.codes.missing, f"Required parameter missing: {error.field}"))
        except InputError as error:
            return self._error(envelope, AjrError(self.codes.invalid, f"Invalid parameter value: {error}"))
        except AxError:
            log.exception("%s failed", self.path)
            return self._error(envelope, AjrError(self.codes.internal, "Internal error"))
        return {**envelope, "data": {} if data is None else data}, 200

    def refuse(self, error: AjrError) -> web.Response:
        """An error answer to a request that was not even looked at."""
        return _json(*self._error({}, error))

    def _open(self, body: bytes, envelope: dict[str, Any]) -> tuple[str, str, Any]:
        """Method, version and params; fills ``envelope`` with what a reply repeats, as far as it can be read."""
        codes = self.codes
        envelope["apiVersion"] = self.versions[-1]
        try:
            call = parse_json(body)
        except InputError as error:
            raise AjrError(codes.bad_json, f"Invalid JSON: {error.reason}") from None
        if not isinstance(call, dict):
            raise AjrError(codes.invalid_request, "The request is a JSON object")
        context, method, version = call.get("context"), call.get("method"), call.get("apiVersion")
        if isinstance(context, str) and len(context) <= MAX_CONTEXT:
            envelope["context"] = context
        elif context is not None:
            raise AjrError(
                codes.invalid, f"Invalid parameter value: context is text of at most {MAX_CONTEXT} characters"
            )
        if method is None:
            raise AjrError(codes.missing, "Required parameter missing: method")
        if not isinstance(method, str):
            raise AjrError(codes.invalid, "Invalid parameter value: method is text")
        if not self._omit_method:
            envelope["method"] = method[:MAX_CONTEXT]
        if method not in self._methods:
            raise AjrError(codes.unknown_method, f"Method not supported: {method[:60]}")
        if method != "getSupportedVersions" or version is not None:
            if version is None:
                raise AjrError(codes.missing, "Required parameter missing: apiVersion")
            if not isinstance(version, str):
                raise AjrError(codes.invalid, "Invalid parameter value: apiVersion is text")
            if not self._supports(version):
                raise AjrError(codes.unknown_version, f"API version not supported: {version[:20]}")
            envelope["apiVersion"] = version
        params = call.get("params")
        return method, envelope["apiVersion"], {} if params is None else params

    def _supports(self, version: str) -> bool:
        major, _, minor = version.partition(".")
        if not (major.isascii() and major.isdigit() and len(version) <= 8 and (minor or "0").isdecimal()):
            return False
        for known in self.versions:
            known_major, _, known_minor = known.partition(".")
            if int(major) == int(known_major) and int(minor or 0) <= int(known_minor):
                return True
        return False

    def _error(self, envelope: dict[str, Any], error: AjrError, status: int = 200) -> tuple[dict[str, Any], int]:
        reply = {"apiVersion": self.versions[-1], **envelope}
        reply["error"] = {"code": error.code, "message": error.message, **error.extra}
        return reply, status


def _json(value: dict[str, Any], status: int = 200) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(value), content_type="application/json")
