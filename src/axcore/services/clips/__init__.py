"""Audio clips: files that are stored whole or not at all, and the one clip that plays."""

from .actions import ClipPerformer, rules_playing
from .files import ClipFiles
from .player import NoPlayer, Player
from .service import ClipService

__all__ = ["ClipFiles", "ClipPerformer", "ClipService", "NoPlayer", "Player", "rules_playing"]
