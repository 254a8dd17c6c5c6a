"""The intercom: calls over SIP, contacts, accounts, keys (manual: Communication; VAPIX Call service)."""

from .accounts import SipAccounts
from .actions import CallPerformer, conditions, rules_calling, rules_calling_from, rules_waiting
from .contacts import ContactFile, ContactList
from .lines import LineDriver, Lines
from .media import MediaPort, OnKey, SoundPlayer
from .service import IntercomService

__all__ = [
    "CallPerformer",
    "ContactFile",
    "ContactList",
    "IntercomService",
    "LineDriver",
    "Lines",
    "MediaPort",
    "OnKey",
    "SipAccounts",
    "SoundPlayer",
    "conditions",
    "rules_calling",
    "rules_calling_from",
    "rules_waiting",
]
