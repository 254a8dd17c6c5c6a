"""The methods of the VAPIX Call service, over the same accounts, sequences and calls as REST.

A method takes and gives plain dicts; ``simple``, ``soap`` and JSON are forms of these. Of what is not there:
``ter:NotFound``; of what cannot be done now: ``ter:Failure``; of what is needed and missing: ``ter:InvalidArgs``. Video
is not there yet. What is asked for by a list of ids leaves out those that are not there, and what is to be removed and
is not there is as good as removed.

Passwords are told as empty texts. So an empty or missing ``Password`` in ``SetSIPAccount`` keeps what is stored, and an
empty or missing ``Username`` of a proxy that of the proxy at the same address: what was read can be sent back. A
password is not kept for another server than it was for. It is cleared over REST (``"password": ""``), or by removing
the proxy or account and adding it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from axcore.errors import AxError, ConflictError, InputError, LimitError, NotFoundError
from axcore.interfaces.http.jsonin import MissingFieldError

from . import accounts, calls, codecs, configuration, dtmf, vms
from .arguments import Methods

if TYPE_CHECKING:
    from axcore.interfaces.http.context import Context, Request

PREFIX: Final = "axcall:"


METHODS: Final[Methods] = {
    **calls.METHODS,
    **configuration.METHODS,
    **accounts.METHODS,
    **codecs.METHODS,
    **dtmf.METHODS,
    **vms.METHODS,
}


class CallFault(msgspec.Struct, frozen=True, kw_only=True):
    """Why a method did nothing, in the words of the service."""

    code: str
    subcode: str | None = None
    reason: str
    sender: bool = True
    """It is the caller's; else the device cannot do it now."""

    def told(self) -> dict[str, str | None]:
        """As JSON and the simple form tell it."""
        return {
            "Fault": "env:Sender" if self.sender else "env:Receiver",
            "FaultCode": self.code,
            "FaultSubCode": self.subcode,
            "FaultReason": self.reason,
            "FaultMsg": None,
        }


def fault_of(error: AxError) -> CallFault:
    """The fault that an exception deserves: the same in every form."""
    match error:
        case UnknownMethodError():
            return CallFault(
                code="ter:ActionNotSupported", subcode="ter:NotSupported", reason=error.reason, sender=False
            )
        case MissingFieldError():
            return CallFault(code="ter:InvalidArgs", reason=str(error))
        case NotFoundError():
            return CallFault(code="ter:InvalidArgVal", subcode="ter:NotFound", reason=str(error))
        case ConflictError() | LimitError():
            return CallFault(code="ter:Action", subcode="ter:Failure", reason=str(error), sender=False)
        case InputError():
            return CallFault(code="ter:InvalidArgVal", subcode="ter:InvalidArgVal", reason=str(error))
        case _:
            reason = "nothing was changed, try again"
            return CallFault(code="ter:Action", subcode="ter:Failure", reason=reason, sender=False)


class UnknownMethodError(InputError):
    """There is no such method."""

    def __init__(self, name: str) -> None:
        super().__init__("method", f"there is no method {name[:60]!r}")


async def run(name: str, args: Any, request: Request, ctx: Context) -> dict[str, Any]:
    """Do what a method (with its prefix) says. InputError, QueueFullError, StoreError; HttpError: not allowed."""
    found = METHODS.get(name.removeprefix(PREFIX)) if name.startswith(PREFIX) else None
    if found is None:
        raise UnknownMethodError(name)
    role, method = found
    request.require(role)
    if not isinstance(args, dict):
        raise InputError(name[:60], "must be an object")
    return await method(args, ctx)
