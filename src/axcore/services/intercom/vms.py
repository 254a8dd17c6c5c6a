"""Calls to video management software (manual: Calls > VMS calls).

Such a call is an offer: it is told by the events and the API of calls, and whoever runs the software answers it there,
or by beginning to send audio. No SIP is needed for it. Changes are jobs of the ledger thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from axcore.devices.call import Call, Leg
from axcore.model.convert import patched
from axcore.model.intercom import VMS_CALL, Target, VmsSettings
from axcore.services.stored import keep_settings, load_settings

from . import check

if TYPE_CHECKING:
    from axcore.runtime.ledger import Transaction

STORED: Final = ("intercom", "vms")
VMS: Final = Target(uri=VMS_CALL, account="")
NAMES: Final = (VMS_CALL, "VMS")


class VmsCalls:
    """The settings. May be read by any thread."""

    def __init__(self) -> None:
        self.settings = VmsSettings()

    def load(self, tx: Transaction) -> None:
        """Read what is stored."""
        self.settings = load_settings(tx, STORED, VmsSettings)

    def set(self, tx: Transaction, patch: Mapping[str, Any]) -> VmsSettings:
        """InputError."""
        new = patched(self.settings, patch, VmsSettings)
        check.number("timeout", new.timeout, 1, 600, unit=" s")
        keep_settings(tx, STORED, self, new)
        return new


def offered(call: Call | None) -> Leg | None:
    """The leg that waits for software to answer."""
    if call is None or call.state != "Calling":
        return None
    return next((leg for leg in call.legs if leg.target.uri == VMS_CALL and leg.open), None)


def talking(call: Call | None) -> bool:
    """Whether software has answered this call."""
    return call is not None and call.state == "Active" and is_vms(call, call.winner)


def is_vms(call: Call, name: str) -> bool:
    """Whether a leg is one to software."""
    leg = call.leg(name)
    return leg is not None and leg.target.uri == VMS_CALL
