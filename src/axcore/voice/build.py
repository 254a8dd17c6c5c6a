"""What this build of PJSIP can do: read from the library, not assumed.

The wheel exports the C symbols of PJSIP and OpenSSL; what pjsua2 does not tell is asked there.
"""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pjsua2 as pj

MAX_ACCOUNTS: Final = 8
"""PJSUA_MAX_ACC as compiled; it cannot be asked, and one more would end the process."""
FEWEST_CALLS: Final = 4
"""PJSUA_MAX_CALLS as it is delivered; assumed where the library does not say."""
NAMES: Final = {"PCMU/8000/1": "PCMU", "PCMA/8000/1": "PCMA", "G722/16000/1": "G722", "L16/44100/1": "L16"}
"""Codecs of PJSIP that the device has too."""
BEST: Final = 255
T1_MS, T2_MS, T4_MS, TD_MS = 500, 4000, 5000, 32_000
"""RFC 3261 table 4: by these values, one after the other, the timers are found in PJSIP's settings."""
CONFIG_WORDS: Final = 24
NO_TCP_SWITCH: Final = 4
"""Words of ``pjsip_cfg_t``, as of PJSIP 2.5 and later."""


@functools.cache
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


def set_timers(t1_ms: int, t2_ms: int, *, tcp_switch: bool) -> bool:
    """Timers T1 and T2 (T4 and D follow), and whether long requests change to TCP; before ``libInit``.

    They are settings of the C library that pjsua2 does not show. False if they are not where they are known to be:
    then nothing is changed.
    """
    loaded = library()
    if loaded is None:
        return False
    try:
        words = (ctypes.c_uint32 * CONFIG_WORDS).in_dll(loaded, "pjsip_sip_cfg_var")
    except ValueError:
        return False
    known = [T1_MS, T2_MS, T4_MS, TD_MS]
    place = next((n for n in range(CONFIG_WORDS - 3) if list(words[n : n + 4]) == known), None)
    if place is None or any(words[n] > 1 for n in range(NO_TCP_SWITCH + 1)):
        return False
    words[place], words[place + 1] = t1_ms, t2_ms
    words[place + 3] = max(64 * t1_ms, 1)
    words[NO_TCP_SWITCH] = int(not tcp_switch)
    return True


def set_codecs(endpoint: Any, wanted: Sequence[str]) -> tuple[str, ...]:
    """Offer ``wanted``, best first, and nothing else; gives all that there are."""
    there = {}
    for codec in endpoint.codecEnum2():
        full = str(codec.codecId)
        name = NAMES.get(full)
        if name:
            there[name] = full
        endpoint.codecSetPriority(full, 0)
    for rank, name in enumerate(wanted):
        if name in there:
            endpoint.codecSetPriority(there[name], BEST - rank)
    return tuple(there)
