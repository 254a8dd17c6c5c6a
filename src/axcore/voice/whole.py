"""Whole session descriptions: of one of more than a kilobyte or two, pjsua2 hands over nothing.

A telephone with ICE, SRTP and video says more than that, and a stranger can. The C structure behind a description is
printed here by PJSIP itself. Owner thread only, inside the callback that gave the description.
"""

from __future__ import annotations

import ctypes
from typing import Any, Final

from .build import library

MOST: Final = 65536


def text(session: Any) -> str:
    """What a ``SdpSession`` says that a callback has surely filled in (``remSdp`` may be left as it was: do not)."""
    known = str(session.wholeSdp)
    lib = None if known else library()
    if lib is None or not hasattr(lib, "pjmedia_sdp_print"):
        return known
    buffer = ctypes.create_string_buffer(MOST)
    length = int(lib.pjmedia_sdp_print(ctypes.c_void_p(int(session.pjSdpSession)), buffer, ctypes.c_size_t(MOST)))
    return buffer.raw[: max(0, length)].decode("utf-8", "replace")
