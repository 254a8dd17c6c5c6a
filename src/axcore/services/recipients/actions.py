"""Actions that tell others: notifications, files, SNMP traps. They go into the outbox after the commit."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from axcore.errors import InputError, QueueFullError
from axcore.model.actions import (
    Action,
    EmailNotification,
    HttpNotification,
    SendFiles,
    SnmpTrap,
    TcpNotification,
    TcpNotificationWhileActive,
)
from axcore.model.recipients import (
    EmailTarget,
    FtpTarget,
    HttpsTarget,
    HttpTarget,
    NetworkShareTarget,
    SftpTarget,
    TcpTarget,
)
from axcore.runtime.outbox import Outbox
from axcore.services.events import ActionType, Run

from .delivery import Delivery, Message
from .service import RecipientService

if TYPE_CHECKING:
    from axcore.runtime.clock import Instant
    from axcore.runtime.ledger import Transaction

SOURCES = ("event", "event_log", "device_information")
MAX_TEXT = 8192
MAX_NAME = 128
MIN_INTERVAL, MAX_INTERVAL = 0.1, 3600.0
SECOND_NS = 1_000_000_000
_COUNTER = ("counter", "delivery")
_TARGETS: dict[type[Any], tuple[type[Any], ...]] = {
    HttpNotification: (HttpTarget, HttpsTarget),
    TcpNotification: (TcpTarget,),
    TcpNotificationWhileActive: (TcpTarget,),
    EmailNotification: (EmailTarget,),
    SendFiles: (FtpTarget, SftpTarget, HttpTarget, HttpsTarget, NetworkShareTarget, EmailTarget),
}
_WORDS: dict[Any, str] = {
    HttpTarget: "HTTP",
    HttpsTarget: "HTTPS",
    TcpTarget: "TCP",
    EmailTarget: "email",
    FtpTarget: "FTP",
    SftpTarget: "SFTP",
    NetworkShareTarget: "network share",
}


class NotificationPerformer:
    """Notifications, files and traps; also a timer of the ledger, for those that repeat while their rule is active."""

    kinds = (HttpNotification, TcpNotification, TcpNotificationWhileActive, EmailNotification, SendFiles, SnmpTrap)

    def __init__(self, recipients: RecipientService, box: Outbox[Delivery]) -> None:
        self._recipients = recipients
        self._box = box
        self._repeating: dict[str, tuple[int, TcpNotificationWhileActive, Run]] = {}

    # --- the catalogue

    def describe(self) -> Iterable[ActionType]:
        text: dict[str, Any] = {"type": "string"}
        method = {"type": "string", "title": "Method", "enum": ["GET", "POST", "PUT"]}
        query = {**text, "title": "Query string suffix"}
        http = {"recipient": self._field(HttpNotification), "method": method, "query": query}
        message = {**text, "title": "Message"}
        tcp = {"recipient": self._field(TcpNotification), "message": message}
        email = {"recipient": self._field(EmailNotification), "subject": {**text, "title": "Subject"}}
        source = {**text, "title": "File", "enum": list(SOURCES)}
        files = {"recipient": self._field(SendFiles), "source": source, "folder": text, "name": text}
        group = "Notifications"
        return (
            _type(HttpNotification, group, "Send notification through HTTP", {**http, "body": text}),
            _type(TcpNotification, group, "Send notification through TCP", tcp),
            _type(TcpNotificationWhileActive, group, "Send notifications through TCP while the rule is active", tcp),
            _type(EmailNotification, group, "Send notification to email", {**email, "body": text}),
            _type(SendFiles, "Files", "Send files", files),
            _type(SnmpTrap, "SNMP", "Send SNMP trap", {"message": message}),
        )

    def _field(self, kind: type[Any]) -> dict[str, Any]:
        fitting = [entry for entry in self._recipients.recipients() if isinstance(entry.target, _TARGETS[kind])]
        names = [entry.name for entry in fitting]
        return {"type": "string", "title": "Recipient", "enum": [entry.id for entry in fitting], "names": names}

    # --- one action

    def check(self, action: Any) -> Action:
        for field in ("query", "body", "message", "subject", "folder", "name", "content_type"):
            if len(getattr(action, field, "")) > (MAX_NAME if field == "name" else MAX_TEXT):
                raise InputError(field, "is too long")
        if isinstance(action, HttpNotification) and not action.content_type.isprintable():
            raise InputError("content_type", "must be one line")
        if isinstance(action, TcpNotificationWhileActive):
            interval = action.interval
            if not math.isfinite(interval) or not MIN_INTERVAL <= interval <= MAX_INTERVAL:
                raise InputError("interval", f"must be {MIN_INTERVAL}..{MAX_INTERVAL:.0f} s")
        if isinstance(action, SendFiles):
            if action.source not in SOURCES:
                raise InputError("source", f"must be one of {', '.join(SOURCES)}")
            if ".." in action.folder.replace("\\", "/").split("/"):
                raise InputError("folder", "must not lead upwards (..)")
        if isinstance(action, SnmpTrap):
            checked: Action = action
            return checked
        recipient = self._recipients.resolve(action.recipient)
        wanted = _TARGETS[type(action)]
        if not isinstance(recipient.target, wanted):
            words = " or ".join(_WORDS[kind] for kind in wanted)
            raise InputError("recipient", f"{recipient.name} is not a recipient for {words}")
        checked = msgspec.structs.replace(action, recipient=recipient.id)
        return checked

    def start(self, tx: Transaction, action: Any, run: Run) -> None:
        if isinstance(action, TcpNotificationWhileActive):
            due = tx.now.mono_ns + round(action.interval * SECOND_NS)
            tx.assign(self, "_repeating", {**self._repeating, run.rule: (due, action, run)})
        self._deliver(tx, action, run)

    def stop(self, tx: Transaction, action: Any, run: Run) -> None:
        left = {rule: entry for rule, entry in self._repeating.items() if rule != run.rule}
        tx.assign(self, "_repeating", left)

    # --- time (a timer of the ledger)

    def next_deadline(self) -> int | None:
        return min((due for due, _, _ in self._repeating.values()), default=None)

    def advance(self, tx: Transaction, now: Instant) -> None:
        for rule, (due, action, run) in self._repeating.items():
            if due <= now.mono_ns:
                following = max(due, now.mono_ns - SECOND_NS) + round(action.interval * SECOND_NS)
                tx.assign(self, "_repeating", {**self._repeating, rule: (following, action, run)})
                self._deliver(tx, action, run)

    # --- inside

    def _deliver(self, tx: Transaction, action: Any, run: Run) -> None:
        recipient = "" if isinstance(action, SnmpTrap) else self._recipients.resolve(action.recipient).id
        message: Message = action
        if isinstance(action, TcpNotificationWhileActive):
            message = TcpNotification(recipient=action.recipient, message=action.message)
        number = int(tx.get(*_COUNTER) or b"0") + 1
        tx.put(*_COUNTER, b"%d" % number, volatile=True)
        delivery = Delivery(
            recipient=recipient,
            message=message,
            wall_ns=tx.now.wall_ns,
            rule=run.rule,
            rule_name=run.name,
            event=run.event,
            sequence=number,
            failed=run.failed,
        )
        tx.after_commit(partial(self._post, delivery))

    def _post(self, delivery: Delivery) -> None:
        if not self._box.post(delivery):
            with contextlib.suppress(QueueFullError):  # counted by the box
                delivery.failed("too many messages wait to be sent; this one is dropped")


def _type(kind: Any, group: str, name: str, fields: dict[str, Any]) -> ActionType:
    tag: Sequence[Any] = (kind.__struct_config__.tag,)
    return ActionType(type=str(tag[0]), group=group, name=name, fields=fields)
