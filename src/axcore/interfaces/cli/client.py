"""A small HTTPS client of the device's public network face: Basic over TLS, the device's own certificate pinned.

One connection, kept open, and a new one where the device has closed it meanwhile; a request that a closing connection
has taken is sent again once if it is a GET.
"""

from __future__ import annotations

import base64
import http.client
import json
import select
import ssl
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from axcore.interfaces.cli.output import CliError
from axcore.interfaces.cli.paths import Running

HOLDERS = "/config/rest/entry-list/v1/holders"
LATEST = "/config/rest/entry-list/v1/latest"
ENTRY_SETTINGS = "/config/rest/entry-list/v1/settings"
RULES = "/config/rest/rules/v1/rules"
EVENTS = "/config/rest/event-log/v1/events"
IO = "/config/rest/io/v1"
BOARD = "/config/rest/board/v1"


class HttpError(CliError):
    """The device answered with an error; ``status`` is the HTTP status, ``body`` what it said."""

    def __init__(self, status: int, message: str, hint: str = "", body: str = "") -> None:
        super().__init__(message, hint)
        self.status = status
        self.body = body


class Client:
    """Requests to one device. Not for several threads at once."""

    def __init__(
        self, url: str, user: str = "", password: str = "", *, certificate: str | Path = "", timeout: float = 10.0
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise CliError(f"{url}: not an address", "e.g. https://127.0.0.1:8443", 2)
        self.url = url.rstrip("/")
        self._headers: dict[str, str] = {}
        self._connection: http.client.HTTPConnection
        if parts.scheme == "https":
            context = pinned(certificate) if certificate else ssl.create_default_context()
            self._connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=timeout, context=context)
        else:
            self._connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
        self._tls = parts.scheme == "https"
        self.login(user, password)

    @classmethod
    def of(cls, running: Running, user: str = "", password: str = "", timeout: float = 10.0) -> Client:
        """A client of a running device, over HTTPS if it has it."""
        return cls(running.https or running.http, user, password, certificate=running.certificate, timeout=timeout)

    def login(self, user: str, password: str) -> None:
        """Send these credentials from now on. Refused over plain HTTP: the password would be readable on the way."""
        self._headers.pop("Authorization", None)
        if not user:
            return
        if not self._tls:
            raise CliError("a password is not sent over plain HTTP", "use the https:// address", 2)
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        self._headers["Authorization"] = f"Basic {token}"

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def request(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> tuple[int, bytes]:
        """Status and body. Raises OSError or http.client.HTTPException when the device cannot be reached."""
        headers = {**self._headers, **({"Content-Type": kind} if kind else {})}
        self._leave_what_was_closed()
        for attempt in (1, 2):
            fresh = self._connection.sock is None
            try:
                self._connection.request(method, path, body, headers)
                reply = self._connection.getresponse()
                return reply.status, reply.read()
            except (http.client.HTTPException, OSError):
                self._connection.close()
                if fresh or method != "GET" or attempt == 2:
                    raise
        raise AssertionError("not reached")

    def _leave_what_was_closed(self) -> None:
        """A connection on which something comes though nothing was asked: its idle time is over, and what is not asked
        by GET would be lost on it (RFC 9112 section 9.5)."""
        sock = self._connection.sock
        if sock is not None:
            bell = select.poll()
            bell.register(sock, select.POLLIN)
            if bell.poll(0):
                self._connection.close()

    def text(self, method: str, path: str, fields: dict[str, str] | None = None) -> str:
        """A text CGI: fields go as a form body (POST) or in the query (GET)."""
        if method == "GET" and fields:
            path, body = f"{path}?{urlencode(fields, quote_via=quote)}", None
        else:
            body = urlencode(fields, quote_via=quote).encode() if fields else None
        status, reply = self._checked(method, path, body, "application/x-www-form-urlencoded" if body else "")
        del status
        return reply.decode("utf-8", "replace")

    def ajr(self, name: str, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """A JSON CGI (``name`` like ``systemready``): the data of its reply."""
        call: dict[str, Any] = {"apiVersion": "1.0", "method": method}
        if params is not None:
            call["params"] = params
        _, reply = self._checked("POST", f"/axis-cgi/{name}.cgi", json.dumps(call).encode(), "application/json")
        document = json.loads(reply)
        if "error" in document:
            raise HttpError(200, f"{name}: {document['error'].get('message')} ({document['error'].get('code')})")
        data: dict[str, Any] = document.get("data", {})
        return data

    def rest(self, method: str, path: str, data: Any = None) -> Any:
        """A REST call: ``data`` goes as ``{"data": ...}``; gives the ``data`` of the reply."""
        body = None if data is None else json.dumps({"data": data}).encode()
        _, reply = self._checked(method, path, body, "application/json" if body else "")
        return json.loads(reply).get("data") if reply else None

    def _checked(self, method: str, path: str, body: bytes | None, kind: str) -> tuple[int, bytes]:
        try:
            status, reply = self.request(method, path, body, kind)
        except (http.client.HTTPException, OSError) as error:
            raise CliError(
                f"{self.url}: {error or type(error).__name__}", "is the device running?  axcore status"
            ) from error
        if status < 300:
            return status, reply
        text = reply.decode("utf-8", "replace")
        if status == 401:
            raise HttpError(
                status, "the device refused the user name or password", "give --login NAME of an admin", text
            )
        raise HttpError(status, f"{method} {path}: {status} {_reason(text)}", body=text)


class EventLog:
    """Follows the event log: reads each event once, in the order of ids."""

    def __init__(self, client: Client, after: int = 0) -> None:
        self._client = client
        self.last = after
        """Id of the newest event read."""
        self.seen: list[dict[str, Any]] = []

    def read(self) -> list[dict[str, Any]]:
        """Events that came since the last call."""
        new: list[dict[str, Any]] = []
        while True:
            page = self._client.rest("GET", f"{EVENTS}?after={self.last}&limit=1000")
            events = page["events"] if isinstance(page, dict) else page
            new += [{"source": {}, "data": {}, **event} for event in events]
            if events:
                self.last = events[-1]["id"]
            if len(events) < 1000:
                self.seen += new
                return new

    def all(self) -> list[dict[str, Any]]:
        """Everything read so far and what came since."""
        self.read()
        return self.seen

    def wait(self, topic: str, correlation: str, timeout: float = 3.0) -> dict[str, Any]:
        """The event of this topic and correlation; TimeoutError when it is not in the log in time."""
        deadline = time.monotonic() + timeout
        while True:
            for event in self.all():
                if event["topic"] == topic and event.get("correlation") == correlation:
                    return event
            if time.monotonic() > deadline:
                raise TimeoutError(f"no event {topic} of {correlation} in the log within {timeout:g} s")
            time.sleep(0.002)


def pinned(certificate: str | Path) -> ssl.SSLContext:
    """Trust this certificate and no other, whatever name it bears."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    try:
        context.load_verify_locations(cafile=str(certificate))
    except OSError as error:
        raise CliError(f"{certificate}: {error.strerror or error}", "is this the user that runs the device?") from error
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _reason(text: str) -> str:
    try:
        error = json.loads(text).get("error", {})
        return f"{error.get('field') or ''} {error.get('message', text)}".strip()
    except (ValueError, AttributeError):
        return " ".join(text.split())[:200]
