"""HTTP and HTTPS: GET, POST and PUT with digest or basic login, certificate check, proxy.

The only module of the services that has aiohttp.

Redirects are followed five times at most, and only where the access list allows.
"""

from __future__ import annotations

import socket
import ssl
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from axcore.model.recipients import HttpsTarget, HttpTarget

from ..delivery import DeliveryError
from ..dial import Dialer, reason_of
from ..modifiers import one_line
from ..parcel import Parcel

MAX_REDIRECTS = 5
MAX_ANSWER = 1 << 20
Target = HttpTarget | HttpsTarget


async def send(target: Target, parcel: Parcel, dialer: Dialer) -> None:
    """Deliver; any answer but 2xx is a failure."""
    for file in parcel.files:
        headers = {"Content-Type": file.content_type, "Content-Disposition": f'attachment; filename="{file.name}"'}
        await exchange(target, "POST", target.url, file.content, headers, dialer)
    if not parcel.files:
        url = with_query(target.url, parcel.query)
        body = parcel.text.encode() if parcel.method != "GET" else None
        await exchange(target, parcel.method, url, body, {"Content-Type": one_line(parcel.content_type)}, dialer)


def with_query(url: str, query: str) -> str:
    """An address with something added to its query."""
    if not query:
        return url
    parts = urlsplit(url)
    joined = "&".join(part for part in (parts.query, query.lstrip("?&")) if part)
    return urlunsplit(parts._replace(query=joined))


async def exchange(  # noqa: PLR0917 - the parts of a request
    target: Target, method: str, url: str, body: bytes | None, headers: dict[str, str], dialer: Dialer
) -> bytes:
    """One request; gives the first ``MAX_ANSWER`` bytes of a 2xx answer. Raises DeliveryError for everything else."""
    import aiohttp
    from yarl import URL

    context: ssl.SSLContext | bool = True
    if isinstance(target, HttpsTarget) and not target.validate_server_certificate:
        context = False
    parts = urlsplit(url)
    if target.proxy is not None:  # the proxy connects; where to is looked at here
        await dialer.addresses(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    middlewares: tuple[Any, ...] = ()
    if target.username:
        middlewares = (aiohttp.DigestAuthMiddleware(target.username, target.password),)
    arguments: dict[str, Any] = {"data": body, "headers": headers if body is not None else None, "ssl": context}
    if target.proxy is not None:
        arguments["proxy"] = f"http://{target.proxy.host}:{target.proxy.port}"
        if target.proxy.username:
            arguments["proxy_auth"] = aiohttp.BasicAuth(target.proxy.username, target.proxy.password)

    def opened(info: Any) -> socket.socket:
        return dialer.open(info[0], info[4])

    connector = aiohttp.TCPConnector(socket_factory=opened, force_close=True)
    try:
        async with aiohttp.ClientSession(connector=connector, middlewares=middlewares, trust_env=False) as session:
            asked = URL(url, encoded=True)
            async with session.request(method, asked, max_redirects=MAX_REDIRECTS, **arguments) as answer:
                status, reason, wanted = answer.status, answer.reason, answer.headers.get("WWW-Authenticate", "")
                said = await _read(answer)
        if status == 401 and target.username and wanted.lower().startswith("basic"):
            connector = aiohttp.TCPConnector(socket_factory=opened, force_close=True)
            login = aiohttp.BasicAuth(target.username, target.password)
            async with (
                aiohttp.ClientSession(connector=connector, auth=login, trust_env=False) as session,
                session.request(method, asked, max_redirects=MAX_REDIRECTS, **arguments) as answer,
            ):
                status, reason, said = answer.status, answer.reason, await _read(answer)
    except aiohttp.ClientConnectorCertificateError as error:
        raise DeliveryError(
            f"the certificate of {parts.hostname} is not trusted: {reason_of(error.certificate_error)}"
        ) from None
    except aiohttp.TooManyRedirects:
        raise DeliveryError(f"{parts.hostname} redirects in circles") from None
    except aiohttp.ClientConnectorError as error:
        raise DeliveryError(
            f"{parts.hostname} cannot be connected to: {reason_of(error.os_error)}", transient=True
        ) from None
    except (aiohttp.ClientError, ValueError) as error:
        raise DeliveryError(f"{parts.hostname} did not answer as HTTP: {reason_of(error)}", transient=True) from None
    if not 200 <= status < 300:
        raise DeliveryError(
            f"{parts.hostname} answered {status} {one_line(reason or '')}"[:200], transient=status >= 500
        )
    return said


async def _read(answer: Any) -> bytes:
    said = bytearray()
    async for chunk in answer.content.iter_chunked(MAX_ANSWER):
        said += chunk
        if len(said) >= MAX_ANSWER:
            break
    return bytes(said[:MAX_ANSWER])
