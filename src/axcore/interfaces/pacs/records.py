"""What every kind of records can do: Set, Get, GetList, Remove, and the short form (Info) where there is one.

Set adds or replaces, all or nothing, and gives the tokens; Get leaves out what it does not know; Remove and every
command refuse an unknown token (VAPIX *Set requests*, *Get requests*). Pages follow each other by ``StartReference``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from axcore.errors import ConflictError, InputError, LimitError
from axcore.interfaces.soap.envelope import Fault, invalid
from axcore.services.pacs.service import MAX_PAGE

from .codec import NAMES, ArgumentError, Arguments, wire_path
from .table import Answer, Caller, Empty, Handler, Operation, Page, Some

_REFERENCE: Final = "at:"
BATCH: Final = 200
"""Records that are turned into an answer on the loop; more are in a thread."""


@dataclass(frozen=True, kw_only=True)
class Records:
    """A kind of records as a service shows it."""

    service: str
    wire: str
    """Name of a record on the wire: ``Credential``."""
    element: str = ""
    """Name of its element, if that is another one."""
    kind: str
    struct: type[Any]
    """What is on the wire; the records themselves where ``read`` and ``show`` are None."""
    prepare: Callable[[Caller], Awaitable[None]] | None = None
    """Done before anything is looked up."""
    read: Callable[[Any, Caller], Any] | None = None
    show: Callable[[Any, Caller], Any] | None = None
    info: Callable[[Any, Caller], Any] | None = None
    """The short form; None: there is none."""
    path: Callable[[str], str] | None = None
    """From a field of the record to that of the wire."""
    also: tuple[str, ...] = ()
    info_also: tuple[str, ...] = ()
    info_list: bool = True
    """Whether the short form is a list too."""

    @property
    def _element(self) -> str:
        return self.element or self.wire

    def operations(self) -> Iterator[Operation]:
        """Everything that can be done with them."""
        argument = f"Set{self.wire}"
        several: Any = tuple.__class_getitem__((self.struct, ...))
        arguments: Any = msgspec.defstruct(
            argument, [("records", several, ())], bases=(Arguments,), frozen=True, kw_only=True
        )
        NAMES[arguments] = {"records": self._element}
        name = self.wire
        rows: tuple[tuple[str, type[Arguments], Handler], ...] = (
            (argument, arguments, self._set), (f"Get{name}", Some, self._get), (f"Get{name}List", Page, self._list),
            (f"Remove{name}", Some, self._remove),
        )  # fmt: skip
        for full, struct, handler in rows:
            yield self._operation(full, struct, handler, self.also)
        if self.info is not None and self.info_list:
            yield self._operation(f"Get{name}Info", Some, self._get_info, self.info_also)
            yield self._operation(f"Get{name}InfoList", Page, self._list_info, self.info_also)

    def _operation(self, name: str, arguments: type[Arguments], handler: Handler, also: tuple[str, ...]) -> Operation:
        async def prepared(given: Any, caller: Caller) -> Answer:
            if self.prepare is not None:
                await self.prepare(caller)
            return await handler(given, caller)

        return Operation(service=self.service, name=name, arguments=arguments, handler=prepared, also=also)

    async def _set(self, given: Any, caller: Caller) -> Answer:
        if not given.records:
            raise ArgumentError(self._element, "is required")
        read = self.read
        records = (
            given.records if read is None else [self._read(at, held, caller) for at, held in enumerate(given.records)]
        )
        try:
            tokens = await caller.run(lambda tx: caller.pacs.set(tx, self.kind, records))
        except LimitError as error:
            reason = f"{self._named(error.field)}: {error.reason}"
            raise Fault(reason, "ter:CapabilityViolated", f"ter:Max{self.wire}s") from None
        except InputError as error:
            raise type(error)(self._named(error.field), error.reason) from None
        return {"Token": list(tokens)}

    async def _get(self, given: Some, caller: Caller) -> Answer:
        return {self._element: await self._shown(self._held(given, caller), self.show, caller)}

    async def _get_info(self, given: Some, caller: Caller) -> Answer:
        return {f"{self.wire}Info": await self._shown(self._held(given, caller), self.info, caller)}

    async def _list(self, given: Page, caller: Caller) -> Answer:
        found, following = page(caller, self.kind, given)
        return {"NextStartReference": following, self._element: await self._shown(found, self.show, caller)}

    async def _list_info(self, given: Page, caller: Caller) -> Answer:
        found, following = page(caller, self.kind, given)
        return {"NextStartReference": following, f"{self.wire}Info": await self._shown(found, self.info, caller)}

    async def _remove(self, given: Some, caller: Caller) -> Answer:
        if not given.token:
            raise ArgumentError("Token", "is required")
        try:
            await caller.run(lambda tx: caller.pacs.remove(tx, self.kind, given.token))
        except ConflictError as error:
            raise invalid(str(error), "ter:ReferenceInUse") from None
        return {}

    def _read(self, at: int, held: Any, caller: Caller) -> Any:
        assert self.read is not None
        try:
            return self.read(held, caller)
        except InputError as error:
            raise type(error)(f"{self._element}[{at}].{error.field}", error.reason) from None

    def _named(self, field: str) -> str:
        index, dot, rest = field.partition(".")
        if not dot:
            return f"{self._element}{index}"
        return f"{self._element}{index}.{wire_path(self.struct, rest) if self.path is None else self.path(rest)}"

    def _held(self, given: Some, caller: Caller) -> list[Any]:
        if len(given.token) > MAX_PAGE:
            raise Fault(f"Token: at most {MAX_PAGE} at once", "ter:InvalidArgs", "ter:TooManyItems")
        return caller.pacs.get(self.kind, given.token)

    async def _shown(self, records: list[Any], show: Callable[[Any, Caller], Any] | None, caller: Caller) -> list[Any]:
        if show is None:
            return records
        if len(records) <= BATCH:
            return [show(record, caller) for record in records]
        return await asyncio.to_thread(lambda: [show(record, caller) for record in records])


def page(caller: Caller, kind: str, given: Page) -> tuple[list[Any], str | None]:
    """The records of a page, and where the next one begins. Raises Fault for a reference that was never given.

    A limit of less than one leaves it to the device, as none at all does.
    """
    reference, limit = given.start_reference, given.limit if given.limit and given.limit > 0 else None
    if reference and not reference.startswith(_REFERENCE):
        raise invalid("StartReference: was not given by this device; begin anew", "ter:InvalidStartReference")
    found, following = caller.pacs.list(kind, limit, reference.removeprefix(_REFERENCE))
    return found, None if following is None else _REFERENCE + following


def capabilities(service: str, values: Callable[[Caller], dict[str, Any]], also: tuple[str, ...] = ()) -> Operation:
    """``GetServiceCapabilities`` of a service."""

    async def handler(given: Empty, caller: Caller) -> Answer:
        return {"Capabilities": values(caller)}

    return Operation(service=service, name="GetServiceCapabilities", arguments=Empty, handler=handler, also=also)
