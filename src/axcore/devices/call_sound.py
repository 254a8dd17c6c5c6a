"""What a call sounds like on the loudspeaker before and after it is talked: a pure function of the call.

Manual: Calls > Audio (ringtone, ringback tone). What a telephone says besides when nobody talks is as in ITU-T E.180.
"""

from __future__ import annotations

from typing import Final, Literal

from .call import Call

CallSound = Literal["", "ringtone", "ringback", "busy", "declined", "no_answer", "failed"]
"""Empty: nothing."""
ENDS: Final = ("busy", "declined", "no_answer", "failed")
"""Those that tell how a call ended; they end by themselves."""
_REASONS: Final[dict[str, CallSound]] = {
    "busy": "busy",
    "declined": "declined",
    "forbidden": "declined",
    "no answer": "no_answer",
    "unavailable": "no_answer",
}


def sound_of(call: Call) -> CallSound:
    """The ringtone until somebody answers here; the ringback once a phone rings; why nobody was reached."""
    if call.transfer is not None:
        by, new = call.leg(call.transfer.by), call.leg(call.transfer.leg)
        alone = by is not None and by.state == "over"
        return "ringback" if alone and new is not None and new.state == "ringing" else ""
    if call.direction == "Incoming":
        return "ringtone" if call.waiting and not call.accepted else ""
    if call.state == "Calling":
        return "ringback" if any(leg.state == "ringing" for leg in call.legs) else ""
    if call.winner or call.ended_by in ("", "here"):
        return ""
    return _REASONS.get(call.reason, "failed")
