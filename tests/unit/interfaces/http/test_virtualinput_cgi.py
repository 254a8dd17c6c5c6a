"""virtualinput/*.cgi: no query, however strange, changes anything or gets another answer than the documented ones."""

from __future__ import annotations

import asyncio
import re
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st
from stubs import Device, FakeRequest

from axcore.interfaces.http.errors import BadRequestError
from axcore.interfaces.http.vapix.virtualinput import activate_cgi, deactivate_cgi

numbers = st.one_of(
    st.integers(-5, 100).map(str), st.text(max_size=6), st.sampled_from(["1", "64", "1.1", "\u0661", "1e3"])
)


@given(st.booleans(), st.dictionaries(st.sampled_from(["schemaversion", "port", "duration", "x"]), numbers))
def test_any_query(active: bool, query: dict[str, str]) -> None:
    async def play() -> None:
        device = Device()
        before = device.snapshot()
        text = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
        cgi = activate_cgi if active else deactivate_cgi
        try:
            response = await cgi(FakeRequest(text), device)  # type: ignore[arg-type]
        except BadRequestError:
            assert device.snapshot() == before
            return
        assert response.status == 200
        code = re.search(r"<ErrorCode>(\d+)<", response.text or "")
        if code:
            assert code[1] in {"10", "20", "30", "50"}
            assert device.snapshot() == before
        else:
            assert 1 <= int(query["port"]) <= 64

    asyncio.run(play())


async def test_a_store_that_fails_is_an_internal_error() -> None:
    device = Device()
    device.store.broken = "disk full"
    response = await activate_cgi(FakeRequest("schemaversion=1&port=1"), device)  # type: ignore[arg-type]
    assert "<ErrorCode>40</ErrorCode>" in (response.text or "")
    assert not any(device.ports.virtual_inputs())
