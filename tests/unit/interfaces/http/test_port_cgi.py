"""io/port.cgi: the grammar, the answers, and that a refused request changes nothing."""

from __future__ import annotations

import asyncio
import contextlib
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stubs import Device, FakeRequest

from axcore.errors import ConflictError, InputError
from axcore.interfaces.http.errors import BadRequestError
from axcore.interfaces.http.vapix.port import Step, monitor_parts, monitored, parse_action, port_cgi


@pytest.fixture
def device() -> Device:
    return Device()


async def ask(device: Device, query: str) -> tuple[int, str]:
    try:
        response = await port_cgi(FakeRequest(query), device)  # type: ignore[arg-type]
    except InputError as error:  # as the server words it
        return 409 if isinstance(error, ConflictError) else 400, f"Error: {error}\r\n"
    return response.status, response.text or ""  # type: ignore[attr-defined]


async def test_checks(device: Device) -> None:
    device.lines.inputs["port2"] = True
    assert await ask(device, "check=1,2") == (200, "port1=0\r\nport2=1\r\n")
    assert await ask(device, "checkactive=2,5") == (200, "port2=active\r\nport5=inactive\r\n")
    assert await ask(device, "checkdirection=1,5") == (200, "port1=input\r\nport5=output\r\n")


async def test_active_follows_the_normal_state(device: Device) -> None:
    await device.ledger.run(lambda tx: device.ports.configure(tx, 4, {"normal_state": "closed"}))
    assert await ask(device, "check=5&checkactive=5") == (200, "port5=1\r\nport5=inactive\r\n")
    assert await ask(device, "action=5%3A%2F") == (200, "")
    assert await ask(device, "check=5&checkactive=5") == (200, "port5=0\r\nport5=active\r\n")


@pytest.mark.parametrize("query", ["action=5:/", "action=5%3A%2F", "action=:/"])
async def test_action_sets_an_output(device: Device, query: str) -> None:
    await device.ledger.run(lambda tx: device.ports.configure(tx, 0, {"direction": "output"}))
    assert await ask(device, query) == (200, "")
    assert ("set", "port1" if query == "action=:/" else "relay1", True) in device.lines.told


async def test_action_pulse_and_sequence(device: Device) -> None:
    assert (await ask(device, "action=" + quote("5:/300\\", safe="")))[0] == 200
    assert device.lines.told[-1] == ("pulse", "relay1", True, 0.3)
    assert (await ask(device, "action=" + quote("6:/300\\500/300\\", safe="")))[0] == 200
    assert device.lines.told[-1] == ("sequence", "relay2", ((True, 0.3), (False, 0.5), (True, 0.3), (False, 0.0)))
    assert (await ask(device, "action=" + quote("6:/300\\500/300\\", safe="")))[0] == 409


async def test_several_actions_are_one_job(device: Device) -> None:
    assert await ask(device, "action=5:/&action=6:/&checkactive=5,6") == (200, "port5=active\r\nport6=active\r\n")
    before = device.snapshot()
    status, text = await ask(device, "action=5:%5C&action=99:/")
    assert status == 400
    assert text == "Error: action: there is no port 99\r\n"
    assert device.snapshot() == before


@pytest.mark.parametrize(
    "query",
    ["", "check=", "check=0", "check=7", "check=1,", "check=a", "check=%D9%A1", "action=1:/", "action=5", "action=5:",
     "action=5:/300", "action=5:x", "action=5:/999999999%5C", "action=5:" + "/1%5C1" * 33, "monitor=1,5",
     "monitor=", "monitor=1&check=1", "unknown=1"],
)  # fmt: skip
async def test_refused(device: Device, query: str) -> None:
    before = device.snapshot()
    status, text = await ask(device, query)
    assert status == 400
    assert text.startswith("Error: ")
    assert device.snapshot() == before


def test_parse_action_forms(device: Device) -> None:
    ports = device.ports.ports()
    assert parse_action("5:/", ports) == (4, (Step(True, 0),))
    assert parse_action(":\\", ports) == (4, (Step(False, 0),))
    assert parse_action("06:/0\\", ports) == (5, (Step(True, 0), Step(False, 0)))


async def test_monitor_tells_states_changes_and_life(device: Device) -> None:
    with pytest.raises(InputError):
        monitored("1,5", device.ports.ports())
    with device.bus.subscribe(10, "tns1:Device/tnsaxis:IO/") as stream:
        parts = monitor_parts(lambda: [device.ports.ports()[4]], stream, keep_alive=0.01)
        async with contextlib.aclosing(parts):
            head, end = b"Content-Type: text/plain\r\n\r\n", b"\r\n--ioboundary\r\n"
            assert await anext(parts) == head + b"5O:L" + end
            assert await anext(parts) == head + end
            await ask(device, "action=5:/")
            device.settle()
            assert await anext(parts) == head + b"5O:/" + end
            await ask(device, "action=5:%5C")
            device.settle()
            assert await anext(parts) == head + b"5O:\\" + end
            stream.dropped = 3
            await ask(device, "action=5:/")
            device.settle()
            assert await anext(parts) == head + b"5O:/" + end
    assert device.bus._subscriptions == ()


@given(
    st.one_of(
        st.text(max_size=60),
        st.builds(
            lambda name, value: f"{name}={quote(value, safe='')}",
            st.sampled_from(["check", "checkactive", "checkdirection", "action", "monitor"]),
            st.one_of(st.from_regex(r"[0-9]{0,3}:([/\\]\d{0,4}){0,5}", fullmatch=True), st.text(max_size=20)),
        ),
    )
)
def test_any_query(query: str) -> None:
    async def play() -> None:
        device = Device()
        before = device.snapshot()
        try:
            if query.startswith("monitor="):
                with contextlib.suppress(InputError):
                    monitored(FakeRequest(query).arguments().fields[0][1], device.ports.ports())
                return
            status, _ = await ask(device, query)
        except BadRequestError:  # the server's 400
            status = 400
        assert status in (200, 400)
        if status != 200:
            assert device.snapshot() == before

    asyncio.run(play())
