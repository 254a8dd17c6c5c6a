"""Parameters: the settings behind param.cgi, each bound to its owner."""

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
    two_way_audio,
)
from .types import Group, ParamError, Parameter, Setting, Source

__all__ = [
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
