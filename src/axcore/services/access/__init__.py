"""Who may come in: the entry list, the keypad and the decision (manual: Reader > Entry list, Reader > PIN, Use the
keypad).

``service.py`` holds the state and writes it down; ``decision.py``, ``entry.py`` and ``validate.py`` are plain functions
of their arguments.
"""

from axcore.services.access.service import AccessService

__all__ = ["AccessService"]
