"""Requests that nobody in PJSIP answers: 403, 405, 481 and 501 (RFC 3261 sections 8.2.1, 9.2, 15.1.2, 21.4.4).

pjsua leaves REGISTER, PUBLISH or a method that it has never heard of to its application, and pjsua2 has no callback for
them: who asks would repeat himself for half a minute. So the last module in PJSIP's order is one of ours (``struct
pjsip_module`` of pjsip/sip_module.h, the same in every 2.x). Owner thread only.
"""

from __future__ import annotations

import ctypes
from typing import Final

from .build import library

LAST: Final = 120
"""Priority: after every module of PJSIP (its applications have 64)."""
_ALLOW: Final = 4
"""PJSIP_H_ALLOW."""
_HEADER_SIZE: Final = 256
"""More than ``struct pjsip_hdr`` has."""
_KNOWN: Final = frozenset({"REGISTER", "PUBLISH", "SUBSCRIBE", "NOTIFY", "MESSAGE", "OPTIONS", "INVITE"})
_OF_A_DIALOGUE: Final = frozenset({"BYE", "CANCEL", "INFO", "PRACK", "UPDATE"})
_ON_REQUEST = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)


class _Module(ctypes.Structure):
    _fields_ = (
        ("prev", ctypes.c_void_p),
        ("next", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("name_length", ctypes.c_ssize_t),
        ("id", ctypes.c_int),
        ("priority", ctypes.c_int),
        ("of_life", ctypes.c_void_p * 4),
        ("on_request", _ON_REQUEST),
        ("of_others", ctypes.c_void_p * 4),
    )


def status_for(info: str) -> int:
    """The answer to a request that is nobody's, from PJSIP's words for it (``Request msg NAME/cseq=1 (...)``).

    0: none (ACK is never answered). A REFER means something in calls only.
    """
    method = info.removeprefix("Request msg ").partition("/cseq")[0]
    if method == "ACK":
        return 0
    if method in _OF_A_DIALOGUE:
        return 481
    if method == "REFER":
        return 403
    return 405 if method in _KNOWN else 501


class Refusal:
    """The module; it must live as long as PJSIP does. Register it after ``libStart``."""

    def __init__(self) -> None:
        name = b"axcore-refusal"
        self._lib = library()
        self._head = ctypes.create_string_buffer(_HEADER_SIZE)
        self._module = _Module(
            name=name, name_length=len(name), id=-1, priority=LAST, on_request=_ON_REQUEST(self._on_request)
        )

    def register(self) -> bool:
        """Whether this build can; without it such requests stay unanswered."""
        lib = self._lib
        if lib is None or not hasattr(lib, "pjsip_endpt_register_module"):
            return False
        for function in (lib.pjsua_get_pjsip_endpt, lib.pjsua_pool_create, lib.pjsip_endpt_get_capability,
                         lib.pjsip_hdr_shallow_clone):  # fmt: skip
            function.restype = ctypes.c_void_p
        lib.pjsip_rx_data_get_info.restype = ctypes.c_char_p
        self._endpoint = ctypes.c_void_p(lib.pjsua_get_pjsip_endpt())
        self._list_allowed(lib)
        return int(lib.pjsip_endpt_register_module(self._endpoint, ctypes.byref(self._module))) == 0

    def _list_allowed(self, lib: ctypes.CDLL) -> None:
        """A list of one header, ``Allow``: its head is an element like the others."""
        head = ctypes.addressof(self._head)
        links = (ctypes.c_void_p * 2).from_buffer(self._head)
        links[0] = links[1] = head
        allow = lib.pjsip_endpt_get_capability(self._endpoint, _ALLOW, None)
        pool = lib.pjsua_pool_create(b"axcore-refusal", ctypes.c_size_t(1024), ctypes.c_size_t(1024))
        if allow and pool:
            copy = lib.pjsip_hdr_shallow_clone(ctypes.c_void_p(pool), ctypes.c_void_p(allow))
            element = (ctypes.c_void_p * 2).from_address(copy)
            element[0] = element[1] = head
            links[0] = links[1] = copy

    def _on_request(self, received: int) -> int:
        """PJSIP's callback: 1 = done with it."""
        assert self._lib is not None
        info = self._lib.pjsip_rx_data_get_info(ctypes.c_void_p(received)) or b""
        status = status_for(info.decode("ascii", "replace"))
        if status == 0:
            return 0
        headers = ctypes.byref(self._head) if status == 405 else None
        answer = self._lib.pjsip_endpt_respond_stateless
        answer(self._endpoint, ctypes.c_void_p(received), status, None, headers, None)
        return 1
