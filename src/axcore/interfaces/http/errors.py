"""What a handler raises to end a request with an HTTP error. Bodies are short plain text and never tell internals."""

from __future__ import annotations

from collections.abc import Mapping


class HttpError(Exception):
    """Ends the request with ``status`` and ``text``; ``close`` also ends the connection (after broken framing)."""

    def __init__(
        self, status: int, text: str, *, headers: Mapping[str, str] | None = None, close: bool = False
    ) -> None:
        super().__init__(f"{status} {text}")
        self.status = status
        self.text = text
        self.headers = dict(headers or {})
        self.close = close


class BadRequestError(HttpError):
    """400: the request cannot be understood."""

    def __init__(self, text: str, *, close: bool = False) -> None:
        super().__init__(400, text, close=close)


class UnauthorizedError(HttpError):
    """401: who asks is not known. The server adds the challenges of the authentication policy."""

    def __init__(self, text: str = "Unauthorized", *, stale: bool = False) -> None:
        super().__init__(401, text)
        self.stale = stale


class ForbiddenError(HttpError):
    """403: known, but not allowed."""

    def __init__(self, text: str = "Forbidden") -> None:
        super().__init__(403, text)


class NotFoundHttpError(HttpError):
    """404: nothing is at this path."""

    def __init__(self, text: str = "Not Found") -> None:
        super().__init__(404, text)
