"""Recipients: who can be told and sent files, and the workers that do it."""

from .service import RecipientService, view

__all__ = ["RecipientService", "view"]
