"""Recipients: who can be told and sent files, and the workers that do it."""

from .acl import Acl
from .actions import NotificationPerformer
from .delivery import Delivery, DeliveryError
from .dispatch import BOX, Dispatcher
from .service import RecipientService, view

__all__ = [
    "BOX",
    "Acl",
    "Delivery",
    "DeliveryError",
    "Dispatcher",
    "NotificationPerformer",
    "RecipientService",
    "view",
]
