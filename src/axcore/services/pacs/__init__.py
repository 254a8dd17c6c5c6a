"""Physical access control: who may pass which door (VAPIX *Access control service*).

``index.py`` holds what there is, ``decision.py`` decides, ``reader.py`` collects what is shown at a reader,
``check.py`` says what may be stored. All of it is plain functions and immutable states: time is an argument, nothing is
sent or kept.
"""

from axcore.services.pacs.decision import Decision, Request, decide, decide_all, entered
from axcore.services.pacs.index import Index, build, load, with_credential, without_credential
from axcore.services.pacs.reader import Reader, Step

__all__ = [
    "Decision", "Index", "Reader", "Request", "Step", "build", "decide", "decide_all", "entered", "load",
    "with_credential", "without_credential",
]  # fmt: skip
