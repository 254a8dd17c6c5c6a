"""Pictures of contacts and groups (manual: Contact list > Upload image). Jobs of the ledger thread; reads from any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from axcore.errors import LimitError, NotFoundError
from axcore.model.images import Image, parse_image
from axcore.services.stored import changed

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

KIND: Final = "contact_image"
MAX_TOGETHER: Final = 4_000_000
"""Bytes of all of them."""


class Pictures:
    """By the id of who is in them."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}

    def load(self, tx: Transaction) -> None:
        """Read what is stored."""
        self._files = {key: bytes(raw) for key, raw in tx.items(KIND)}

    @property
    def all(self) -> dict[str, bytes]:
        """Files by id."""
        return self._files

    def get(self, key: str) -> tuple[Image, bytes]:
        """NotFoundError (``image``)."""
        data = self._files.get(key)
        if data is None:
            raise NotFoundError("image", f"{key[:40]!r} has no picture")
        return parse_image(data), data

    def put(self, tx: Transaction, key: str, data: bytes, field: str = "image") -> Image:
        """Keep a picture in place of another. InputError, LimitError."""
        image = parse_image(data, field)
        others = sum(len(file) for other, file in self._files.items() if other != key)
        if others + len(data) > MAX_TOGETHER:
            raise LimitError(field, f"does not fit: pictures may take {MAX_TOGETHER // 1_000_000} MB together")
        tx.put(KIND, key, data)
        tx.assign(self, "_files", {**self._files, key: data})
        tx.publish(changed(KIND, key, "update", tx.actor))
        return image

    def remove(self, tx: Transaction, key: str) -> None:
        """Forget a picture; none is no error."""
        if key in self._files:
            tx.delete(KIND, key)
            tx.assign(self, "_files", {other: file for other, file in self._files.items() if other != key})
            tx.publish(changed(KIND, key, "remove", tx.actor))
