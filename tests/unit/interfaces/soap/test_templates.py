"""Actions as template parameters and back, and recipients beside them."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from axcore.errors import InputError, LimitError
from axcore.interfaces.soap import recipients_map, templates
from axcore.interfaces.soap.action1 import described
from axcore.model import actions
from axcore.model.actions import Action
from axcore.model.convert import convert
from axcore.model.recipients import HttpTarget, Proxy
from axcore.services.recipients import RecipientService
from axcore.services.recipients.validate import check_spec
from axcore.testing import MemoryLedger

HTTP = {
    "upload_url": "http://h/x", "login": "me", "password": "top secret", "proxy_host": "", "proxy_port": "",
    "proxy_login": "", "proxy_password": "", "qos": "0",
}  # fmt: skip


SAMPLES = {
    "upload_url": "http://h/x", "host": "h", "proxy_host": "p", "pop_host": "pop", "email_to": "a@b",
    "email_from": "c@d",
    "encryption": "tls", "ssh_host_pub_key_md5": "0" * 32, "ssh_host_pub_key_sha256": "A" * 43,
}  # fmt: skip


def values_of(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Any value of each field of an action."""
    found = {}
    for item in msgspec.structs.fields(kind):
        args = get_args(item.type)
        if item.type is bool:
            found[item.name] = st.booleans()
        elif item.type is int:
            found[item.name] = st.integers(-10_000, 10_000)
        elif item.type is str:
            found[item.name] = st.text(max_size=20) | st.sampled_from(["Message=a%20b&x=1", "Message=", "a&b", "%41"])
        elif item.name == "duration" and type(None) in args:
            found[item.name] = st.none() | st.just(0.0) | st.floats(1e-6, 1e5)
        elif item.type is float:
            found[item.name] = st.just(0.0) | st.floats(1e-6, 1e5)
        else:
            found[item.name] = st.sampled_from(args)
    if "content_type" in found:
        found["content_type"] = st.sampled_from(["text/plain; charset=utf-8", "application/json", "a: b"])
    if "repeat" in found:
        found["repeat"] = st.integers(-1, 100)
    return st.fixed_dictionaries(found).map(
        lambda fields: convert({**fields, "type": kind.__struct_config__.tag}, kind)
    )


@pytest.mark.parametrize("kind", get_args(Action), ids=lambda kind: kind.__struct_config__.tag)
@settings(max_examples=40)
@given(data=st.data())
def test_an_action_goes_out_and_comes_in_as_it_was(kind: type[Any], data: st.DataObject) -> None:
    action = data.draw(values_of(kind))
    token, values = described(action, None)
    template = templates.by_token(token)
    assert template is not None
    assert template.kind is kind
    assert ("unlimited" in token) == kind.while_active
    assert template.action(values, getattr(action, "recipient", "")) == action


def test_tokens_are_unique_and_every_action_has_one() -> None:
    tokens = [template.token for template in templates.TEMPLATES]
    assert len(tokens) == len(set(tokens))
    assert {template.kind for template in templates.TEMPLATES} == set(get_args(Action))


def test_only_what_the_device_has_is_offered() -> None:
    def found(types: list[str], recipients: tuple[str, ...] = ()) -> list[str]:
        return [template.token for template in templates.offered(types, recipients)]

    assert found(["toggle_io_once"]) == ["com.axis.action.fixed.io.toggle"]
    assert found(["http_notification"]) == []
    assert found(["http_notification"], ("https", "ftp")) == ["com.axis.action.fixed.notification.https"]


@pytest.mark.parametrize(
    ("token", "values", "parameter"),
    [
        ("com.axis.action.fixed.io.toggle", {"port": "1", "state": "on", "duration": "1"}, "state"),
        ("com.axis.action.fixed.io.toggle", {"port": "1", "state": "high", "duration": "1e999"}, "duration"),
        ("com.axis.action.fixed.io.toggle", {"port": "1", "state": "high", "duration": "nan"}, "duration"),
        ("com.axis.action.fixed.io.toggle", {"port": "1", "state": "high", "duration": "1" * 50}, "duration"),
        ("com.axis.action.fixed.mqttpublish", {"topic": "a", "qos": "3", "retained": "true", "payload": ""}, "qos"),
        ("com.axis.action.fixed.mqttpublish", {"topic": "a", "qos": "1", "retained": "yes", "payload": ""}, "retained"),
        ("com.axis.action.fixed.play.audioclip", {"location": "a", "volume": "loud"}, "volume"),
        ("com.axis.action.fixed.notification.http", {"message": "", "parameters": "", "method": "DELETE"}, "method"),
        ("com.axis.action.fixed.notification.http", {"http_headers": "X-A: b"}, "http_headers"),
        ("com.axis.action.fixed.notification.http", {"http_headers": "Content-Type"}, "http_headers"),
    ],
)
def test_a_bad_value_is_named(token: str, values: dict[str, str], parameter: str) -> None:
    template = templates.by_token(token)
    assert template is not None
    with pytest.raises(InputError) as refused:
        template.action(values, "1")
    assert refused.value.field == parameter


def test_message_and_parameters_make_the_query() -> None:
    template = templates.by_token("com.axis.action.fixed.notification.http")
    assert template is not None
    action = template.action({"message": "Door & gate %T", "parameters": "a=1", "method": "POST", "body": "b"}, "3")
    assert action == actions.HttpNotification(
        recipient="3", method="POST", query="Message=Door%20%26%20gate%20%T&a=1", body="b"
    )


def test_an_led_interval_is_in_milliseconds() -> None:
    template = templates.by_token("com.axis.action.fixed.ledcontrol")
    assert template is not None
    action = template.action({"led": "statusled", "color": "green,none", "duration": "1", "interval": "250"})
    assert action == actions.LedOnce(led="statusled", color="green,none", duration=1.0, interval=0.25)


# --- recipients ----------------------------------------------------------------------------------------------------


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger()


def choose(ledger: MemoryLedger, store: RecipientService, kind: str = "http", name: str = "n", **given: str) -> str:
    return ledger.do(lambda tx: recipients_map.chosen(store, tx, kind, name, {**HTTP, **given}))


def test_a_recipient_is_made_once(ledger: MemoryLedger) -> None:
    store = RecipientService()
    assert [choose(ledger, store), choose(ledger, store), choose(ledger, store, name="other")] == ["1", "1", "1"]
    assert choose(ledger, store, login="you") == "2"
    assert choose(ledger, store, password="another") == "3"
    assert [item.name for item in store.recipients()] == ["n", "n 2", "n 3"]
    assert choose(ledger, store, recipient="2") == "2"
    for wrong in ("4", "x"):
        with pytest.raises(InputError, match="recipient"):
            choose(ledger, store, recipient=wrong)
    with pytest.raises(InputError):
        choose(ledger, store, "tcp", recipient="1")


def test_the_twenty_first_is_refused(ledger: MemoryLedger) -> None:
    store = RecipientService()
    for number in range(20):
        choose(ledger, store, login=str(number))
    before = store.recipients()
    with pytest.raises(LimitError):
        choose(ledger, store, login="20")
    assert store.recipients() == before


def test_secrets_do_not_come_out(ledger: MemoryLedger) -> None:
    store = RecipientService()
    choose(ledger, store, proxy_host="p", proxy_port="8080", proxy_login="pl", proxy_password="top secret too")
    (made,) = store.recipients()
    assert isinstance(made.target, HttpTarget)
    assert made.target.password == "top secret"
    assert made.target.proxy == Proxy(host="p", port=8080, username="pl", password="top secret too")
    shown = recipients_map.values(made)
    assert "secret" not in repr(shown)
    assert (shown["password"], shown["proxy_password"], shown["proxy_port"]) == ("", "", "8080")


@pytest.mark.parametrize("kind", recipients_map.KINDS)
def test_every_kind_goes_out_and_comes_in(kind: str) -> None:
    given = {}
    for item in recipients_map.KINDS[kind]:
        plain = {"number": "25", "flag": "1", "none": ""}.get(item.shape, SAMPLES.get(item.name, f"v-{item.name}"))
        given[item.name] = "" if item.secret else plain
    if kind == "https":
        given["upload_url"] = "https://h/x"
    spec = recipients_map.spec(kind, "name", given)
    assert recipients_map.kind_of(spec) == kind
    assert recipients_map.values(spec) == given
    check_spec(spec)


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [("tcp", "port", "x"), ("tcp", "port", "123456"), ("https", "validate_server_cert", "yes")],
)
def test_a_bad_recipient_parameter_is_named(kind: str, name: str, value: str) -> None:
    with pytest.raises(InputError) as refused:
        recipients_map.fields(kind, {name: value})
    assert refused.value.field == name
