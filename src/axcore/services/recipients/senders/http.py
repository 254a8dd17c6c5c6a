"""HTTP and HTTPS: GET, POST and PUT with digest or basic login, certificate check, proxy.

The only module of the services that has aiohttp.

Redirects are followed five times at most, only where the access list allows, and never from HTTPS to HTTP. The login is
given to the server that the recipient names, and to no other. A POST that may have been taken is not sent again.
"""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urljoin, urlsplit, urlunsplit

from axcore.model.recipients import HttpsTarget, HttpTarget

from ..delivery import DeliveryError
from ..dial import Dialer, reason_of
from ..modifiers import one_line
from ..parcel import Parcel

if TYPE_CHECKING:
    import aiohttp

MAX_REDIRECTS = 5
MAX_ANSWER = 1 << 20
"""Bytes of an answer that are read, where anybody wants them."""
REDIRECTS = frozenset({301, 302, 303, 307, 308})
NOT_TAKEN = frozenset({429, 502, 503, 504})
"""Answers of servers that could not do it now; other failures are answers too, and final."""
Target = HttpTarget | HttpsTarget


class Ask(NamedTuple):
    method: str
    url: str
    body: bytes | None
    headers: dict[str, str]


class _Answer(NamedTuple):
    status: int
    reason: str
    location: str
    wanted: str
    """Login that the server asks for."""
    body: bytes


async def send(target: Target, parcel: Parcel, dialer: Dialer) -> None:
    """Deliver; any answer but 2xx is a failure."""
    for file in parcel.files:
        headers = {"Content-Type": file.content_type, "Content-Disposition": f'attachment; filename="{file.name}"'}
        await exchange(target, Ask("POST", target.url, file.content, headers), dialer)
    if not parcel.files:
        url = with_query(target.url, parcel.query)
        body = parcel.text.encode() if parcel.method != "GET" else None
        headers = {} if body is None else {"Content-Type": one_line(parcel.content_type)}
        await exchange(target, Ask(parcel.method, url, body, headers), dialer)


def with_query(url: str, query: str) -> str:
    """An address with something added to its query."""
    if not query:
        return url
    parts = urlsplit(url)
    joined = "&".join(part for part in (parts.query, query.lstrip("?&")) if part)
    return urlunsplit(parts._replace(query=joined))


async def exchange(target: Target, ask: Ask, dialer: Dialer, tls: ssl.SSLContext | None = None) -> bytes:
    """Ask, and follow redirects; gives the first ``MAX_ANSWER`` bytes of a 2xx answer.

    ``tls`` in place of what the system trusts. Raises DeliveryError for everything else.
    """
    for _ in range(MAX_REDIRECTS + 1):
        host = urlsplit(ask.url).hostname or ""
        answer = await _ask(target, ask, dialer, tls)
        if answer.status in REDIRECTS and answer.location:
            ask = redirected(ask, answer.status, answer.location)
            dialer.acl.check_url(ask.url)
            continue
        if not 200 <= answer.status < 300:
            reason = f"{host} answered {answer.status} {one_line(answer.reason)}"[:200]
            raise DeliveryError(reason, transient=answer.status in NOT_TAKEN)
        return answer.body
    raise DeliveryError(f"{host} redirects in circles")


def redirected(ask: Ask, status: int, location: str) -> Ask:
    """What a redirect asks for (RFC 9110, 15.4). Raises DeliveryError where it leads from HTTPS to HTTP."""
    url = urljoin(ask.url, location)
    if urlsplit(ask.url).scheme == "https" and urlsplit(url).scheme != "https":
        raise DeliveryError(f"{urlsplit(ask.url).hostname} redirects from HTTPS to an address without it")
    if status == 303 or (status in (301, 302) and ask.method == "POST"):
        return Ask("GET", url, None, {})
    return ask._replace(url=url)


async def _ask(target: Target, ask: Ask, dialer: Dialer, tls: ssl.SSLContext | None) -> _Answer:
    import aiohttp

    parts = urlsplit(ask.url)
    if target.proxy is not None:  # the proxy connects; where to is looked at here
        await dialer.addresses(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    login: dict[str, Any] = {}
    own = target.username and _origin(ask.url) == _origin(target.url)
    if own:
        login = {"middlewares": (aiohttp.DigestAuthMiddleware(target.username, target.password),)}
    try:
        answer = await _once(target, ask, dialer, login, tls)
        if answer.status == 401 and own and answer.wanted.lower().startswith("basic"):
            login = {"auth": aiohttp.BasicAuth(target.username, target.password)}
            answer = await _once(target, ask, dialer, login, tls)
    except aiohttp.ClientConnectorCertificateError as error:
        raise DeliveryError(
            f"the certificate of {parts.hostname} is not trusted: {reason_of(error.certificate_error)}"
        ) from None
    except aiohttp.ClientConnectorError as error:
        raise DeliveryError(
            f"{parts.hostname} cannot be connected to: {reason_of(error.os_error)}", transient=True
        ) from None
    except (aiohttp.ClientError, ValueError) as error:
        raise DeliveryError(
            f"{parts.hostname} did not answer as HTTP: {reason_of(error)}", transient=ask.method != "POST"
        ) from None
    return answer


async def _once(target: Target, ask: Ask, dialer: Dialer, login: dict[str, Any], tls: ssl.SSLContext | None) -> _Answer:
    import aiohttp
    from yarl import URL

    arguments: dict[str, Any] = {"data": ask.body, "headers": ask.headers, "allow_redirects": False}
    arguments["ssl"] = tls or not (isinstance(target, HttpsTarget) and not target.validate_server_certificate)
    if target.proxy is not None:
        arguments["proxy"] = f"http://{target.proxy.host}:{target.proxy.port}"
        if target.proxy.username:
            arguments["proxy_auth"] = aiohttp.BasicAuth(target.proxy.username, target.proxy.password)

    def opened(info: Any) -> socket.socket:
        return dialer.open(info[0], info[4])

    connector = aiohttp.TCPConnector(socket_factory=opened, resolver=_resolver(dialer), force_close=True)
    async with (
        aiohttp.ClientSession(connector=connector, trust_env=False, **login) as session,
        session.request(ask.method, URL(ask.url, encoded=True), **arguments) as got,
    ):
        headers, body = got.headers, await _read(got)
        wanted = headers.get("WWW-Authenticate", "")
        return _Answer(got.status, got.reason or "", headers.get("Location", ""), wanted, body)


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    said = bytearray()
    async for chunk in answer.content.iter_chunked(1 << 16):
        said += chunk
        if len(said) >= MAX_ANSWER:
            break
    return bytes(said[:MAX_ANSWER])


def _resolver(dialer: Dialer) -> aiohttp.abc.AbstractResolver:
    """Names are resolved by the dialer: in threads of the recipients, and past the access list."""
    from aiohttp.abc import AbstractResolver, ResolveResult

    class Resolver(AbstractResolver):
        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
        ) -> list[ResolveResult]:
            return [
                ResolveResult(
                    hostname=host, host=address[0], port=port, family=found, proto=0, flags=socket.AI_NUMERICHOST
                )
                for found, address in await dialer.addresses(host, port)
                if family in (socket.AF_UNSPEC, found)
            ]

        async def close(self) -> None:
            """Nothing is kept."""

    return Resolver()


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
