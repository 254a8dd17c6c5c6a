"""What this build of PJSIP can do: read from the library, not assumed.

The wheel exports the C symbols of PJSIP and OpenSSL; what pjsua2 does not tell is asked there.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pjsua2 as pj

MAX_ACCOUNTS: Final = 8
"""PJSUA_MAX_ACC as compiled; it cannot be asked, and one more would end the process."""
FEWEST_CALLS: Final = 4
"""PJSUA_MAX_CALLS as it is delivered; assumed where the library does not say."""
NAMES: Final = {"PCMU/8000": "PCMU", "PCMA/8000": "PCMA", "G722/16000": "G722"}
"""Codecs of PJSIP that the device has too."""
BEST: Final = 255


def library() -> ctypes.CDLL | None:
    """PJSIP as this process has loaded it; None if it cannot be found."""
    for name, module in sys.modules.items():
        file = str(getattr(module, "__file__", ""))
        if "pjsua2" in name and ".so" in file:
            return ctypes.CDLL(file)
    found = sorted(Path(str(pj.__file__)).parent.glob("_pjsua2*.so"))
    return ctypes.CDLL(str(found[0])) if found else None


def max_calls() -> int:
    """Calls that one process can have at once (after ``libInit``)."""
    loaded = library()
    ask = getattr(loaded, "pjsua_call_get_max_count", None)
    return int(ask()) if ask is not None else FEWEST_CALLS


def tls_version() -> str:
    """The TLS library, or empty without one."""
    loaded = library()
    for name in ("OpenSSL_version", "SSLeay_version"):
        ask = getattr(loaded, name, None)
        if ask is not None:
            ask.restype = ctypes.c_char_p
            return str((ask(0) or b"").decode("ascii", "replace"))
    return ""


def set_codecs(endpoint: Any, wanted: Sequence[str]) -> tuple[str, ...]:
    """Offer ``wanted``, best first, and nothing else; gives all that there are."""
    there = {}
    for codec in endpoint.codecEnum2():
        full = str(codec.codecId)
        name = NAMES.get(full.rpartition("/")[0])
        if name:
            there[name] = full
        endpoint.codecSetPriority(full, 0)
    for rank, name in enumerate(wanted):
        if name in there:
            endpoint.codecSetPriority(there[name], BEST - rank)
    return tuple(there)
