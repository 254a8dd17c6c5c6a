"""Calls with something wrong in them, in numbers: an answer or a fault, and a fault leaves everything as it was."""

from __future__ import annotations

import asyncio
import random
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from axcore.interfaces.http.errors import ForbiddenError
from axcore.interfaces.http.vapix.services import TABLE
from axcore.interfaces.soap.dispatch import Answer, serve
from axcore.model.accounts import Identity, Role
from tests.unit.interfaces.soap.rig import (
    PORT,
    RFID,
    Rig,
    action_rule,
    configuration,
    envelope,
    filter_xml,
    item,
)

CALLS = [
    action_rule("1", filter_xml(PORT, f"{item('port', '1')} and {item('state', '1')}"), start=filter_xml(RFID)),
    action_rule("1000001", filter_xml(PORT, f"{item('port', '1')} and not({item('state', '1')})")),
    configuration("com.axis.action.fixed.io.toggle", "c", {"port": "4", "state": "high", "duration": "7"}),
    configuration("com.axis.action.fixed.notification.tcp", "c", {"message": "m", "host": "h", "port": "1", "qos": ""}),
    "<aa:RemoveActionRule><aa:RuleID>1</aa:RuleID></aa:RemoveActionRule>",
    "<aa:RemoveActionConfiguration><aa:ConfigurationID>1</aa:ConfigurationID></aa:RemoveActionConfiguration>",
    "<aev:ChangeVirtualInputState><aev:port>3</aev:port><aev:active>1</aev:active></aev:ChangeVirtualInputState>",
    f"<tev:CreatePullPointSubscription><tev:Filter>{filter_xml(PORT)}</tev:Filter></tev:CreatePullPointSubscription>",
]
PIECES = [
    "", "0", "-1", "99999999999999999999", "nan", "\u00e9", "'", '"', "&lt;", "<a/>", "</a>", "//.", "|", "tns1:",
    "not(",    "aa:", "xmlns:aa=''", "x" * 300, "<aa:Name>n</aa:Name>", "boolean(//SimpleItem[@Name='a'])",
]  # fmt: skip


class Request:
    """What operations use of a request."""

    secure = True
    path_params: dict[str, str] = {}  # noqa: RUF012

    def __init__(self, data: bytes, role: Role = Role.OPERATOR) -> None:
        self.identity = Identity("oper", role)
        self.headers = {"Host": "h", "Content-Type": "application/soap+xml"}
        self._data = data

    async def read(self) -> bytes:
        return self._data

    def require(self, role: Role) -> None:
        if self.identity.role < role:
            raise ForbiddenError


def call(rig: Rig, data: bytes) -> Answer:
    async def run() -> Answer:
        request: Any = Request(data)
        return await serve(TABLE, request, rig.ctx)

    return asyncio.run(run())


@settings(max_examples=150)
@given(st.sampled_from(CALLS), st.lists(st.sampled_from(PIECES), min_size=1, max_size=4), st.randoms())
def test_a_call_with_pieces_changed(body: str, pieces: list[str], rng: random.Random) -> None:
    with tempfile.TemporaryDirectory() as place:
        rig = Rig(Path(place), everything=True)
        assert call(rig, envelope(CALLS[2])).status == 200
        text = envelope(body).decode()
        first = text.index("Body>")
        for piece in pieces:
            at = rng.randrange(first, len(text))
            text = text[:at] + piece + text[at + rng.choice([0, 1, 5, len(piece)]) :]
        before = rig.snapshot()
        answer = call(rig, text.encode())
        if answer.status == 200:
            assert b"Response" in answer.body
        else:
            assert answer.status == 400, answer.body
            assert b"SOAP-ENV:Fault" in answer.body
            assert rig.snapshot() == before
