"""Parameters: the settings behind param.cgi, each bound to its owner."""

from .audio import ENCODING, two_way_audio
from .service import ParamService
from .sources import (
    STREAM_PROFILES,
    brand,
    ioport,
    media_clips,
    network,
    properties,
    settings,
    sip,
    speaker_test,
)
from .types import Group, ParamError, Parameter, Setting, Source

__all__ = [
    "ENCODING",
    "STREAM_PROFILES",
    "Group",
    "ParamError",
    "ParamService",
    "Parameter",
    "Setting",
    "Source",
    "brand",
    "ioport",
    "media_clips",
    "network",
    "properties",
    "settings",
    "sip",
    "speaker_test",
    "two_way_audio",
]
