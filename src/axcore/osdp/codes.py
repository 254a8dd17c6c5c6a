"""Code points of OSDP (SIA OSDP 2.2) and of the engine's events.

``ax/osdp.h`` and ``ax/osdp_event.h`` say the same in C; a test compares them.
"""

from __future__ import annotations

import enum


class Command(enum.IntEnum):
    """From the controller to a device."""

    POLL = 0x60
    ID = 0x61
    CAP = 0x62
    LSTAT = 0x64
    ISTAT = 0x65
    OSTAT = 0x66
    RSTAT = 0x67
    OUT = 0x68
    LED = 0x69
    BUZ = 0x6A
    TEXT = 0x6B
    COMSET = 0x6E
    BIOREAD = 0x73
    BIOMATCH = 0x74
    KEYSET = 0x75
    CHLNG = 0x76
    SCRYPT = 0x77
    ACURXSIZE = 0x7B
    FILETRANSFER = 0x7C
    MFG = 0x80
    XWR = 0xA1
    ABORT = 0xA2
    PIVDATA = 0xA3
    GENAUTH = 0xA4
    CRAUTH = 0xA5
    KEEPACTIVE = 0xA7


class Reply(enum.IntEnum):
    """From a device to the controller."""

    ACK = 0x40
    NAK = 0x41
    PDID = 0x45
    PDCAP = 0x46
    LSTATR = 0x48
    ISTATR = 0x49
    OSTATR = 0x4A
    RSTATR = 0x4B
    RAW = 0x50
    FMT = 0x51
    KEYPAD = 0x53
    COM = 0x54
    BIOREADR = 0x57
    BIOMATCHR = 0x58
    EXT_PDID = 0x59
    CCRYPT = 0x76
    RMAC_I = 0x78
    BUSY = 0x79
    FTSTAT = 0x7A
    PIVDATAR = 0x80
    GENAUTHR = 0x81
    CRAUTHR = 0x82
    MFGSTATR = 0x83
    MFGERRR = 0x84
    MFGREP = 0x90
    XRD = 0xB1


class NakReason(enum.IntEnum):
    """First byte of a NAK."""

    CHECK = 1
    LENGTH = 2
    UNKNOWN = 3
    SEQUENCE = 4
    SECURITY = 5
    ENCRYPT = 6
    BIO_TYPE = 7
    BIO_FORMAT = 8
    RECORD = 9


class Color(enum.IntEnum):
    """Colours of an LED."""

    BLACK = 0
    RED = 1
    GREEN = 2
    AMBER = 3
    BLUE = 4
    MAGENTA = 5
    CYAN = 6
    WHITE = 7


class LinkState(enum.IntEnum):
    """How a controller and a device stand to each other."""

    OFFLINE = 0
    CLEAR = 1
    """On line, not secured."""
    SECURE = 2
    """On line over the secure channel, with a key of its own."""
    INSTALL = 3
    """Secure channel with the published key, inside the install window."""


class Why(enum.IntEnum):
    """Why a link changed or a command failed."""

    NONE = 0
    SILENCE = 1
    RESTART = 2
    HANDSHAKE = 3
    NAK = 4
    ATTACK = 5
    ABORT = 6
    REKEY = 7
    INSECURE = 8


class AttackKind(enum.IntEnum):
    """What was refused."""

    CLEAR = 1
    MAC = 2
    DEFAULT_KEY = 3
    KEY_SWAP = 4
    CRYPTOGRAM = 5
    RMAC = 6
    NONCE = 7
    KEYSET = 8
    DOWNGRADE = 9
    NULL_CIPHER = 10
    REPLAY = 11
    PADDING = 12
    CONFIG = 13


class EventKind(enum.IntEnum):
    """``kind`` of the native events."""

    LINK = 1
    REPLY = 2
    DONE = 3
    FAILED = 4
    COMMAND = 5
    ATTACK = 6
    KEY = 7
    INSTALL = 8
    FILE = 9
    COMSET = 10
    LOST = 11


class Policy(enum.IntEnum):
    """What a device does with a command."""

    REFUSE = 0
    ACCEPT = 1
    ASK = 2
