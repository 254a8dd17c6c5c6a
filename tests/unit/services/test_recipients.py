"""Recipients: what can be kept, modifiers, access list, workers; the senders meet real peers in ``tests/e2e``."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axcore.devices import MODELS
from axcore.errors import ConflictError, InputError, LimitError, NotFoundError, QueueFullError
from axcore.model import events
from axcore.model.actions import (
    EmailNotification,
    HttpNotification,
    SendFiles,
    SnmpTrap,
    TcpNotification,
    TcpNotificationWhileActive,
)
from axcore.model.convert import convert
from axcore.model.events import NewEvent
from axcore.model.recipients import HttpTarget, RecipientSpec, TcpTarget
from axcore.model.rules import Condition, RuleSpec
from axcore.runtime.outbox import Outbox
from axcore.services.events import EventService
from axcore.services.recipients import BOX, Acl, Delivery, DeliveryError, Dispatcher, NotificationPerformer, view
from axcore.services.recipients import RecipientService as Service
from axcore.services.recipients.dispatch import QUEUE
from axcore.services.recipients.losses import Losses
from axcore.services.recipients.modifiers import Facts, escape_of, expand, file_part, one_line, query_of
from axcore.services.recipients.pack import Packer, event_file
from axcore.services.recipients.parcel import Parcel
from axcore.services.recipients.senders.http import with_query
from axcore.services.recipients.senders.snmp import trap
from axcore.testing import MemoryLedger

TCP = TcpTarget(host="192.0.2.1", port=9)
WEB = HttpTarget(url="http://192.0.2.1/cgi-bin/notify.cgi", username="u", password="secret")
CHANGE = Condition(topic=events.CALL_STATE_CHANGE)
HOT = Condition(topic=events.TEMPERATURE_ABOVE)


class Bench:
    def __init__(self, store: Any = None) -> None:
        self.ledger = MemoryLedger(store=store)
        self.recipients = Service()
        self.box: Outbox[Delivery] = Outbox(BOX)
        self.performer = NotificationPerformer(self.recipients, self.box)
        self.events = EventService(MODELS["a8207-ve"], (self.performer,), self.ledger.bus, self.ledger.post)
        self.ledger.load(self.recipients.load, self.events.load)
        self.ledger.load(self.events.start)
        self.ledger.add_timer(self.performer)

    def add(self, name: str, target: Any = TCP) -> str:
        spec = RecipientSpec(name=name, target=target)
        return str(self.ledger.do(lambda tx: self.recipients.add(tx, spec)).id)

    def rule(self, action: Any, condition: Condition = CHANGE) -> None:
        spec = RuleSpec(name="r", conditions=(condition,), action=action)
        self.ledger.do(lambda tx: self.events.add_rule(tx, spec))

    def happen(self, topic: str = events.CALL_STATE_CHANGE, **data: str) -> None:
        self.ledger.do(lambda tx: tx.publish(NewEvent(topic=topic, data=data, is_property=bool(data))))

    def posted(self) -> list[Delivery]:
        found = []
        while (delivery := self.box.get_nowait()) is not None:
            found.append(delivery)
        return found


@pytest.fixture
def bench() -> Bench:
    return Bench()


# --- what is kept


def test_twenty_with_names_of_their_own_and_all_of_them_after_a_restart(bench: Bench) -> None:
    for number in range(20):
        bench.add(f"r{number}")
    with pytest.raises(LimitError):
        bench.add("r20")
    bench.ledger.do(lambda tx: bench.recipients.remove(tx, "3"))
    with pytest.raises(ConflictError):
        bench.add(" r7 ")
    assert bench.add("again") == "21"
    assert Bench(bench.ledger.store).recipients.recipients() == bench.recipients.recipients()


def test_passwords_never_come_out_and_stay_when_left_out(bench: Bench) -> None:
    key = bench.add("w", WEB)
    shown = view(bench.recipients.recipient(key)).target
    assert shown["password_set"] is True
    assert "secret" not in str(shown)
    patch = {"target": {**shown, "url": "http://192.0.2.1/other"}}
    bench.ledger.do(lambda tx: bench.recipients.update(tx, key, patch))
    kept = bench.recipients.recipient(key).target
    assert isinstance(kept, HttpTarget)
    assert (kept.url, kept.password) == ("http://192.0.2.1/other", "secret")
    bench.ledger.do(lambda tx: bench.recipients.update(tx, key, {"target": {**shown, "url": "http://192.0.2.2/"}}))
    moved = bench.recipients.recipient(key).target
    assert isinstance(moved, HttpTarget)
    assert moved.password == "", "nobody has it sent elsewhere by an update"
    other = {"target": {"type": "tcp", "host": "h", "port": 1}}
    bench.ledger.do(lambda tx: bench.recipients.update(tx, key, other))
    assert isinstance(bench.recipients.recipient(key).target, TcpTarget)


@pytest.mark.parametrize(
    ("target", "field"),
    [
        ({"type": "http", "url": "ftp://h/"}, "target.url"),
        ({"type": "http", "url": "http://"}, "target.url"),
        ({"type": "http", "url": "http://u:p@h/"}, "target.url"),
        ({"type": "http", "url": "http://h/ x"}, "target.url"),
        ({"type": "http", "url": "http://h:99999/"}, "target.url"),
        ({"type": "https", "url": "http://h/"}, "target.url"),
        ({"type": "http", "url": "http://h/", "proxy": {"host": ""}}, "target.proxy.host"),
        ({"type": "http", "url": "http://h/", "username": "a\nb"}, "target.username"),
        ({"type": "tcp", "host": "a b", "port": 1}, "target.host"),
        ({"type": "tcp", "host": "h", "port": 0}, "target.port"),
        ({"type": "ftp", "host": "h", "folder": "a/../b"}, "target.folder"),
        ({"type": "sftp", "host": "h"}, "target.host_key_sha256"),
        ({"type": "sftp", "host": "h", "host_key_md5": "zz"}, "target.host_key_md5"),
        ({"type": "sftp", "host": "h", "host_key_sha256": "x"}, "target.host_key_sha256"),
        ({"type": "networkshare", "host": "h", "share": "/"}, "target.share"),
        ({"type": "smtp", "send_to": "nobody", "send_from": "a@b", "host": "h"}, "target.send_to"),
        ({"type": "smtp", "send_to": "a@b", "send_from": "a@b,c@d", "host": "h"}, "target.send_from"),
        ({"type": "smtp", "send_to": "a@b", "send_from": "a@b", "host": "h", "pop_host": "-"}, "target.pop_host"),
        ({"type": "gopher", "host": "h"}, "target"),
    ],
)
def test_what_cannot_be_is_refused_by_name(bench: Bench, target: dict[str, Any], field: str) -> None:
    def add(tx: Any) -> None:
        bench.recipients.add(tx, convert({"name": "r", "target": target}, RecipientSpec))

    with pytest.raises(InputError) as caught:
        bench.ledger.do(add)
    assert caught.value.field.startswith(field)
    assert bench.recipients.recipients() == ()


# --- actions


@pytest.mark.parametrize(
    ("action", "field"),
    [
        (HttpNotification(recipient="nobody"), "action.recipient"),
        (HttpNotification(recipient="t"), "action.recipient"),
        (EmailNotification(recipient="t", subject="s"), "action.recipient"),
        (TcpNotification(recipient="t", message="x" * 9000), "action.message"),
        (TcpNotificationWhileActive(recipient="t", message="m", interval=0.0), "action.interval"),
        (SendFiles(recipient="w", source="passwords"), "action.source"),
        (SendFiles(recipient="w", source="event", folder="a/../.."), "action.folder"),
        (SendFiles(recipient="w", source="event", name="x" * 200), "action.name"),
    ],
)
def test_actions_that_cannot_be_are_refused(bench: Bench, action: Any, field: str) -> None:
    bench.add("t")
    bench.add("w", WEB)
    with pytest.raises(InputError) as caught:
        bench.rule(action, HOT)
    assert caught.value.field == field


def test_a_rule_posts_after_the_commit_and_numbers_rise(bench: Bench) -> None:
    bench.add("t")
    bench.rule(TcpNotification(recipient="t", message="m"))
    bench.rule(SnmpTrap(message="trap"))
    bench.happen()
    first = bench.posted()
    assert [delivery.recipient for delivery in first] == ["1", ""]
    bench.ledger.store.broken = "no disk"
    with pytest.raises(Exception, match="no disk"):
        bench.happen()
    assert bench.posted() == []
    bench.ledger.store.broken = None
    bench.happen()
    assert [delivery.sequence for delivery in (*first, *bench.posted())] == [1, 2, 3, 4]


def test_a_message_repeats_while_the_rule_is_active(bench: Bench) -> None:
    bench.add("t")
    bench.rule(TcpNotificationWhileActive(recipient="t", message="hot", interval=2.0), HOT)
    bench.happen(events.TEMPERATURE_ABOVE, sensor_level="1")
    assert len(bench.posted()) == 1
    bench.ledger.advance(6.5)
    assert len(bench.posted()) == 3
    bench.happen(events.TEMPERATURE_ABOVE, sensor_level="0")
    bench.ledger.advance(10.0)
    assert bench.posted() == []
    assert bench.performer.next_deadline() is None


def test_a_recipient_that_is_gone_fails_the_action(bench: Bench) -> None:
    bench.add("t")
    bench.rule(TcpNotification(recipient="t", message="m"))
    bench.ledger.do(lambda tx: bench.recipients.remove(tx, "1"))
    bench.happen()
    assert [e.data["reason"] for e in bench.ledger.events if e.topic == events.ACTION_FAILED]
    assert bench.posted() == []


def test_a_full_box_is_told(bench: Bench) -> None:
    bench.add("t")
    bench.rule(TcpNotification(recipient="t", message="m"))
    for _ in range(BOX + 2):
        bench.happen()
    bench.ledger.turn()
    failed = [e for e in bench.ledger.events if e.topic == events.ACTION_FAILED]
    assert len(failed) == 2
    assert len(bench.posted()) == BOX


# --- modifiers

FACTS = Facts(
    local=datetime(2026, 1, 31, 9, 5, 7, tzinfo=UTC), serial="B8A44F", address="192.0.2.9", hostname="gate",
    rule="Open", topic="tns1:T", items={"port": "4", "a:b": "x"},
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("%F %X %T", "2026-01-31 09:05:07 09:05:07"),
        ("%d.%m.%Y %j %%", "31.01.2026 031 %"),
        ("#s #i #n #r #t ##", "B8A44F 192.0.2.9 gate Open tns1:T #"),
        ("port #{port}, #{a:b}, #{none} #q %Q", "port 4, x, #{none} #q %Q"),
    ],
)
def test_modifiers(text: str, expected: str) -> None:
    assert expand(text, FACTS) == expected


@given(st.text(max_size=200))
def test_any_text_is_expanded_and_made_safe(text: str) -> None:
    assert isinstance(expand(text, FACTS), str)
    assert one_line(text).isprintable()
    part = file_part(text)
    assert 1 <= len(part) <= 128
    assert not set(part) & set('/\\:*?"<>|\0\r\n')
    assert not part.startswith(".")


def test_files_get_a_name_of_their_own() -> None:
    packer = Packer(lambda: {"serial": "S"}, lambda: UTC, {"event": event_file})
    message = SendFiles(recipient="1", source="event", folder="%Y/#{port}/../x", name="../#r: %F")
    delivery = Delivery(recipient="1", message=message, wall_ns=0, rule_name="a/b", sequence=42)
    (file,) = packer(delivery).files
    assert file.name == "_a_b_ 1970-01-01_000042.json"
    assert file.folder == ("1970", "__port_", "_", "x")
    with pytest.raises(DeliveryError):
        packer(Delivery(recipient="1", message=SendFiles(recipient="1", source="?"), wall_ns=0))


def test_queries_are_joined() -> None:
    assert with_query("http://h/a?b=1", "c=2") == "http://h/a?b=1&c=2"
    assert with_query("http://h/a", "?c=2") == "http://h/a?c=2"
    assert with_query("http://h/a", "") == "http://h/a"


# --- access list


@pytest.mark.parametrize("host", ["127.0.0.1", "127.5.5.5", "0.0.0.0", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"])
def test_the_devices_own_ports_are_refused_on_every_address_of_its_own(host: str) -> None:
    acl = Acl(lambda: {8443})
    for port in (8443, 80, 443, 554):
        with pytest.raises(DeliveryError, match="this device itself"):
            acl.check(host, port)
    acl.check(host, 9999)  # programs beside the device are peers
    acl.check("192.0.2.1", 8443)


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "224.0.0.1", "255.255.255.255"]
)
def test_metadata_and_multicast_are_refused(host: str) -> None:
    with pytest.raises(DeliveryError):
        Acl(set).check(host, 12345)


@given(st.one_of(st.ip_addresses().map(str), st.text(max_size=40)), st.integers(1, 65535))
def test_the_access_list_has_an_answer_for_anything(host: str, port: int) -> None:
    try:
        Acl(lambda: {80}, is_own=lambda address: address == ipaddress.ip_address("192.0.2.7")).check(host, port)
    except DeliveryError:
        return
    assert (host, port) != ("192.0.2.7", 80)


# --- workers


class Peer:
    """What a dispatcher sends by."""

    def __init__(self) -> None:
        self.sent: list[tuple[Any, str]] = []
        self.errors: list[DeliveryError] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def send(self, target: Any, parcel: Parcel, _dialer: Any) -> None:
        await self.gate.wait()
        if self.errors:
            raise self.errors.pop(0)
        self.sent.append((target, parcel.text))


def dispatcher(peer: Peer) -> Dispatcher:
    def find(key: str) -> Any:
        if key == "gone":
            raise NotFoundError("id", "there is no recipient")
        return key

    def pack(delivery: Delivery) -> Parcel:
        assert isinstance(delivery.message, TcpNotification)
        return Parcel(text=delivery.message.message)

    return Dispatcher(Outbox(10), find, pack, None, by=peer.send)  # type: ignore[arg-type]


def parcel(key: str, text: str, failed: list[str]) -> Delivery:
    message = TcpNotification(recipient=key, message=text)
    return Delivery(recipient=key, message=message, wall_ns=0, failed=failed.append)


async def until(truth: Any) -> None:
    async with asyncio.timeout(60):
        while not truth():  # noqa: ASYNC110 - of a worker, which tells nobody
            await asyncio.sleep(0.001)  # wall clock: workers have threads of their own


async def test_a_full_queue_refuses_and_order_is_kept() -> None:
    peer, failed = Peer(), list[str]()
    one = dispatcher(peer)
    peer.gate.clear()
    for number in range(QUEUE + 3):
        one.take(parcel("a", str(number), failed))
        await asyncio.sleep(0)  # wall clock: none passes
    one.take(parcel("b", "other", failed))
    peer.gate.set()
    await until(lambda: one.delivered + len(failed) == QUEUE + 4)
    assert [text for key, text in peer.sent if key == "a"] == [str(n) for n in range(len(peer.sent) - 1)]
    assert one.refused == len(failed) > 0
    assert ("b", "other") in peer.sent


async def test_passing_failures_are_tried_again_and_lasting_ones_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("axcore.services.recipients.dispatch.PAUSES", (0.0, 0.0))
    peer, failed = Peer(), list[str]()
    one = dispatcher(peer)
    peer.errors = [DeliveryError("busy", transient=True)] * 2
    one.take(parcel("a", "third time", failed))
    await until(lambda: one.delivered == 1)
    peer.errors = [DeliveryError("busy", transient=True)] * 3
    one.take(parcel("a", "never", failed))
    await until(lambda: len(failed) == 1)
    peer.errors = [DeliveryError("refused")]
    one.take(parcel("a", "no", failed))
    one.take(parcel("gone", "no", failed))
    await until(lambda: len(failed) == 3)
    assert set(failed) == {"busy", "refused", "there is no recipient"}


async def test_a_delivery_ends_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("axcore.services.recipients.dispatch.TOTAL_SECONDS", 0.01)
    peer, failed = Peer(), list[str]()
    peer.gate.clear()
    one = dispatcher(peer)
    one.take(parcel("a", "x", failed))
    await until(lambda: failed)
    assert "not delivered within" in failed[0]
    with pytest.raises(DeliveryError, match="took longer"):
        await one.test(TCP)


async def test_a_worker_without_work_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("axcore.services.recipients.dispatch.IDLE_SECONDS", 0.01)
    peer, failed = Peer(), list[str]()
    one = dispatcher(peer)
    one.take(parcel("a", "x", failed))
    await until(lambda: one.delivered == 1 and one.workers == 0)
    one.take(parcel("a", "y", failed))
    await until(lambda: one.delivered == 2)


def test_a_trap_is_ber() -> None:
    data = trap("public", "é" * 100, uptime_ticks=2**31, request_id=2**40 + 5)
    assert data[0] == 0x30
    assert data[1] == 0x82
    assert int.from_bytes(data[2:4], "big") == len(data) - 4
    assert data[4:7] == b"\x02\x01\x01"
    assert b"\x04\x06public\xa7" in data
    assert "é".encode() * 100 in data
    assert bytes([0x43, 5, 0, 0x80, 0, 0, 0]) in data


# --- what goes into a place, and what is told


def lost(failed: Callable[[str], None]) -> Delivery:
    return Delivery(recipient="1", message=TcpNotification(recipient="1", message="m"), wall_ns=0, failed=failed)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("text/plain", 'a&b="<'),
        ("application/json; charset=utf-8", 'a&b=\\"<'),
        ("application/x-www-form-urlencoded", "a%26b%3D%22%3C"),
        ("application/soap+xml", "a&amp;b=&quot;&lt;"),
    ],
)
def test_values_are_escaped_for_the_body(kind: str, expected: str) -> None:
    facts = FACTS._replace(items={"Name": 'a&b="<'})
    assert expand("#{Name}", facts, escape_of(kind)) == expected


@given(st.text(), st.text())
def test_a_query_is_one_line_without_spaces_whatever_is_put_in(text: str, value: str) -> None:
    query = query_of(text + "#{Name}", FACTS._replace(items={"Name": value}))
    assert query.isascii()
    assert query.isprintable()
    assert " " not in query
    assert "#" not in query


def test_a_query_keeps_what_its_author_wrote() -> None:
    facts = FACTS._replace(items={"Name": "x&y=1"})
    assert query_of("a=1&b=%2F&c=#{Name}&d=100%%&e=a b", facts) == "a=1&b=%2F&c=x%26y%3D1&d=100%25&e=a%20b"


def test_a_flood_of_failures_is_told_as_numbers() -> None:
    now, told = [0.0], list[str]()
    losses = Losses(lambda: now[0])
    for _ in range(50):
        losses.tell(lost(told.append), "no")
    assert told == ["no"] * 10
    now[0] = 1.0
    losses.tell(lost(told.append), "no")
    assert told[10:] == ["no (and 40 more before it)"]
    losses.tell(lost(told.append), "never")
    losses.settle()
    assert told[11:] == ["never"]
    losses.settle()
    assert len(told) == 12


def test_what_the_ledger_cannot_take_is_told_later() -> None:
    full, told = [True], list[str]()

    def failed(reason: str) -> None:
        if full[0]:
            raise QueueFullError("full")
        told.append(reason)

    losses = Losses(lambda: 0.0)
    losses.tell(lost(failed), "a")
    full[0] = False
    losses.tell(lost(failed), "b")
    assert told == ["b (and 1 more before it)"]
