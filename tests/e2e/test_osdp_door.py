"""A door station as the OSDP reader of a door controller: two processes, a secure channel, a card, and every fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from axcore.drivers.serial import PtyLine
from axcore.interfaces.cli import client as net
from axcore.interfaces.cli.instance import Instance, wait_for
from axcore.model import events as topics
from axcore.osdp import messages
from axcore.testing.osdp_door import CARD, DOORS, GRANTED, KEY, READERS, RELAY, MultiDrop, OsdpDoor, let_in
from tests.e2e.conftest import lasted
from tests.e2e.patience import PATIENCE

OTHER = "00112233445566778899aabbccddee0f"
OFFLINE_NS, BACK_NS = 8_000_000_000, 10_000_000_000
POLL_NS, BUSY_NS = 1_000_000_000, 5_000_000_000
"""Room for the last poll before, and for a busy machine."""
ACCESS_MS = 500
VALUE = 0x02004FCB
"""The card, as its bits."""

Begin = Callable[..., OsdpDoor]


@pytest.fixture
def begin() -> Iterator[Begin]:
    """Start a pair; ``set_up`` is the test's."""
    running: list[OsdpDoor] = []

    def start(**options: Any) -> OsdpDoor:
        play = OsdpDoor(access_ms=ACCESS_MS, **options)
        running.append(play)
        play.start()
        return play

    yield start
    for play in running:
        play.__exit__(None, None, None)


def swipe(play: OsdpDoor) -> None:
    with play.station.board(PATIENCE) as board:
        board.call("card", **CARD)


def station_event(play: OsdpDoor, topic: str, right: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first event of the station that is right."""
    log, found = net.EventLog(play.station.client()), list[dict[str, Any]]()

    def look() -> bool:
        found[:] = [event for event in log.all() if event["topic"] == topic and right(event)]
        return bool(found)

    wait_for(topic, look, PATIENCE)
    return found[0]


def test_a_card_at_the_station_opens_the_door_of_the_controller_and_its_led_tells(begin: Begin) -> None:
    play = begin()
    play.set_up(feedback={"idle": "blue"})
    play.wait_link("secure")
    reader = play.reader()
    assert (reader["online"], reader["polled"], reader["protocol"]) == (True, True, "osdp")
    assert reader["identity"]["firmware"] == "1.0.0"
    station_event(play, topics.LED_STATE, lambda event: event["data"].get("color") == "blue")
    swipe(play)
    opened = play.controller.tap.expect(RELAY, True, PATIENCE)
    closed = play.controller.tap.expect(RELAY, False, PATIENCE)
    assert lasted(opened, closed, ACCESS_MS / 1000)
    assert play.wait_event(GRANTED)["data"]["CredentialToken"] == "ann"
    station_event(play, topics.LED_STATE, lambda event: event["data"].get("color") == "green")
    station_event(play, topics.READER_BUZZER, lambda event: event["data"]["count"] == "1")
    with play.station.board(PATIENCE) as board:
        board.call("card", **CARD | {"card": 10214})
        play.wait_event(f"{topics.ACCESS_DENIED_NOT_FOUND}Card")
        station_event(play, topics.LED_STATE, lambda event: event["data"].get("color") == "red")
        board.call("input", port="casing", active=True)
        play.wait_event(topics.ID_POINT_TAMPERING, Active="1")
        board.call("rex", active=True)
        play.wait_event(topics.READER_INPUT, active="1")
    assert not play.opened()
    with play.controller.board(PATIENCE) as board, pytest.raises(Exception, match="at the reader itself"):
        board.call("card", **CARD)  # a bus has it: nobody else speaks for it
    with pytest.raises(net.HttpError) as refused:
        play.client.rest("POST", f"{DOORS}/readers/reader2/key", {"key": KEY})
    assert refused.value.status == 409
    play.client.rest("POST", f"{DOORS}/readers/reader1/feedback", {"signal": "more"})


def test_a_pulled_cable_takes_the_reader_off_line_after_8_s_and_opens_nothing(begin: Begin) -> None:
    play = begin(cable=True)
    play.set_up()
    play.wait_link("secure")
    cable = play.cable
    assert cable is not None
    known = play.log.all()[-1]["id"]
    with play.controller.board(PATIENCE) as board:
        pulled = board.call("state")["t_ns"]
        cable.pull()
        lost = play.wait_event(topics.ID_POINT_STATUS, State="Offline", after=known)
        assert OFFLINE_NS - POLL_NS < lost["t_ns"] - pulled < OFFLINE_NS + BUSY_NS
        swipe(play)  # to nobody
        plugged = board.call("state")["t_ns"]
        cable.plug()
        back = play.wait_event(topics.ID_POINT_STATUS, State="Online", after=lost["id"])
        assert back["t_ns"] - plugged < BACK_NS
    play.wait_link("secure")
    assert play.door()["mode"] == "Locked"
    assert not play.opened(), "a card that nobody heard opens no door when the line is back"
    swipe(play)
    play.controller.tap.expect(RELAY, True, PATIENCE)


def test_a_station_that_is_killed_leaves_the_door_locked_and_is_taken_up_again(begin: Begin) -> None:
    play = begin()
    play.set_up()
    play.wait_link("secure")
    known = play.log.all()[-1]["id"]
    play.station.kill()
    lost = play.wait_event(topics.READER_CONNECTION, state="not_connected", after=known)
    assert lost["data"]["reason"] == "silence"
    assert play.door()["mode"] == "Locked"
    play.start_station()
    play.wait_link("secure")
    assert not play.opened()
    swipe(play)
    play.controller.tap.expect(RELAY, True, PATIENCE)


def test_a_controller_that_is_killed_comes_back_to_its_reader_with_the_door_locked(begin: Begin) -> None:
    play = begin()
    play.set_up()
    play.wait_link("secure")
    play.controller.kill()
    play.controller.tap.drain()
    play.controller.start()
    play.client = play.controller.client()
    play.log = net.EventLog(play.client)
    play.wait_link("secure")
    assert not play.opened()
    swipe(play)
    play.controller.tap.expect(RELAY, True, PATIENCE)


def test_a_reader_with_another_key_is_refused_and_told(begin: Begin) -> None:
    play = begin(station_key=OTHER)
    play.set_up(key=KEY)
    attack = play.wait_event(topics.READER_ATTACK)
    assert (attack["source"], attack["data"]["kind"]) == ({"IdPointToken": "reader1"}, "cryptogram")
    swipe(play)
    assert (play.reader()["online"], play.reader()["link"]) == (False, "offline")
    assert [event for event in play.log.all() if event["topic"] in (GRANTED, topics.ID_POINT_ID_DATA)] == []
    play.client.rest("PATCH", f"{DOORS}/readers/reader1/settings", {"key": OTHER})
    play.wait_link("secure")
    assert not play.opened(), "the card of before is not kept for later"
    swipe(play)
    play.controller.tap.expect(RELAY, True, PATIENCE)


def test_a_reader_without_a_key_is_not_talked_to_until_an_install_window_gives_it_one(begin: Begin) -> None:
    play = begin(station_key="")
    play.set_up(key="")
    install = f"{DOORS}/readers/reader1/install"
    swipe(play)
    assert not play.reader()["online"]
    play.station.client().rest("POST", f"{READERS}/install", {"seconds": 60})
    play.client.rest("POST", install, {"seconds": 60})
    play.wait_event(topics.READER_INSTALL, open="1")
    play.wait_event(topics.READER_KEY)
    play.wait_event(topics.READER_INSTALL, open="0", installed="1")
    play.wait_link("secure")
    settings = play.client.rest("GET", f"{DOORS}/readers/reader1/settings")
    assert settings["key_set"]
    assert "key" not in settings
    with pytest.raises(net.HttpError) as refused:  # it has one
        play.client.rest("POST", install, {"seconds": 60})
    assert refused.value.status == 409
    play.client.rest("POST", f"{DOORS}/readers/reader1/key", {"key": OTHER})
    station_event(play, topics.READER_KEY, lambda event: True)
    wait_for(
        "the second key", lambda: len([e for e in play.log.all() if e["topic"] == topics.READER_KEY]) == 2, PATIENCE
    )
    for device in (play.controller, play.station):  # both ends have kept it
        assert device.stop() == 0
    play.controller.start()
    play.client = play.controller.client()
    play.log = net.EventLog(play.client)
    play.start_station()
    play.wait_link("secure")
    play.controller.tap.drain()
    swipe(play)
    play.controller.tap.expect(RELAY, True, PATIENCE)


def test_bad_settings_are_refused_and_nothing_is_half_stored(begin: Begin) -> None:
    play = begin()
    one, ports = f"{DOORS}/readers/reader1/settings", f"{DOORS}/reader-ports"
    before = play.client.rest("GET", one), play.client.rest("GET", ports)
    bad: tuple[tuple[str, str, Any, int, str], ...] = (
        ("PATCH", one, {"address": 127}, 400, "address"),
        ("PATCH", one, {"address": "0"}, 400, "address"),
        ("PATCH", one, {"enabled": True, "key": "00" * 16}, 400, "key"),
        ("PATCH", one, {"key": "6b1f"}, 400, "key"),
        ("PATCH", one, {"secure": True}, 400, "secure"),
        ("PATCH", one, {"feedback": {"granted": {"led": {"color": "pink"}}}}, 400, "feedback.granted.led.color"),
        ("PATCH", one, {"feedback": {"denied": {"led": {"color": "red"}}}}, 400, "feedback.denied.led.seconds"),
        ("PATCH", one, {"feedback": {"more": {"beep": {"count": 256}}}}, 400, "feedback.more.beep.count"),
        ("PATCH", one, {"feedback": {"blink": {}}}, 400, "feedback.blink"),
        ("PATCH", f"{DOORS}/readers/reader9/settings", {"address": 1}, 404, "reader9"),
        ("PATCH", f"{ports}/1", {"baud": 9601}, 400, "baud"),
        ("PATCH", f"{ports}/1", {"poll_ms": -1}, 400, "poll_ms"),
        ("PATCH", f"{ports}/1", {"protocol": "rs232"}, 400, "protocol"),
        ("PATCH", f"{ports}/2", {"baud": 9600}, 404, "port"),
        ("PATCH", f"{ports}/x", {"baud": 9600}, 404, "port"),
        ("POST", f"{DOORS}/readers/reader1/key", {"key": ""}, 400, "key"),
        ("POST", f"{DOORS}/readers/reader1/key", {}, 400, "key"),
        ("POST", f"{DOORS}/readers/reader1/key", {"key": KEY}, 409, "secure channel"),
        ("POST", f"{DOORS}/readers/reader1/install", {"seconds": 601}, 400, "seconds"),
        ("POST", f"{DOORS}/readers/reader1/install", {"seconds": 60}, 409, "OSDP"),
        ("POST", f"{DOORS}/readers/reader1/move", {"address": 3, "baud": 9600}, 409, "off line"),
        ("POST", f"{DOORS}/readers/reader1/move", {"address": 1, "baud": 1}, 400, "baud"),
        ("POST", f"{DOORS}/readers/reader1/feedback", {"signal": "open"}, 400, "signal"),
    )
    for method, path, data, status, named in bad:
        with pytest.raises(net.HttpError) as refused:
            play.client.rest(method, path, data)
        assert refused.value.status == status, (path, data, refused.value)
        assert named in refused.value.body, (path, data)
    assert (play.client.rest("GET", one), play.client.rest("GET", ports)) == before


def test_eight_readers_on_four_ports_each_open_their_own_door() -> None:
    """Manual 002, Reader connector: up to eight readers on four connectors, two to each (multi-drop)."""
    names = [f"reader{number}" for number in range(1, 9)]
    buses: list[MultiDrop] = []
    with Instance(model="a1710-b") as device:
        let_in(device.data_dir, "a1710-b", names)
        device.start()
        device.create_admin()
        client = device.client()
        paths = device.running.rs485.split()
        assert len(paths) == 4
        try:
            for port, path in enumerate(paths, 1):
                client.rest("PATCH", f"{DOORS}/reader-ports/{port}", {"baud": 115200, "poll_ms": 5})
                buses.append(MultiDrop(path, {0: KEY, 1: OTHER}))
            for number, name in enumerate(names):
                settings = {"enabled": True, "key": OTHER if number % 2 else KEY}
                client.rest("PATCH", f"{DOORS}/readers/{name}/settings", settings)
            with pytest.raises(net.HttpError, match="reader8 on the same port"):
                client.rest("PATCH", f"{DOORS}/readers/reader7/settings", {"address": 1})

            def links() -> list[str]:
                return [entry["link"] for entry in client.rest("GET", f"{DOORS}/readers")]

            wait_for("eight readers", lambda: links() == ["secure"] * 8, PATIENCE, 0.02)
            for number in range(8):
                buses[number // 2].card(number % 2, 0x02004FCB >> 6)
            log, denied = net.EventLog(client), f"{topics.ACCESS_DENIED_NOT_FOUND}Card"
            wait_for("eight refusals", lambda: [e["topic"] for e in log.all()].count(denied) == 8, PATIENCE)
            assert device.tap.drain() == []
            for number in range(8):
                buses[number // 2].card(number % 2, VALUE)
                device.tap.expect(f"relay{number // 2 + 1}", True, PATIENCE)
                client.rest("POST", f"{DOORS}/doors/door{number // 2 + 1}/commands", {"command": "LockDoor"})
                device.tap.expect(f"relay{number // 2 + 1}", False, PATIENCE)
            client.rest("PATCH", f"{DOORS}/readers/reader7/settings", {"enabled": False})
            assert links() == ["secure"] * 6 + ["offline", "secure"], "its neighbour stays on line"
        finally:
            for bus in buses:
                bus.close()


def test_a_serial_line_that_is_pulled_out_is_opened_again_and_the_door_stays_locked(tmp_path: Path) -> None:
    """``[serial] ports``: a line by its device, as on a real board."""
    link, config = tmp_path / "ttyRS485", tmp_path / "axcore.toml"
    config.write_text(f'[serial]\nports = ["{link}"]\n')
    with Instance(model="a1610", args=("--config", str(config))) as device:
        let_in(device.data_dir, access_ms=ACCESS_MS)
        line = PtyLine(link)
        device.start()
        device.create_admin()
        assert device.running.rs485 == ""
        client = device.client()
        log = net.EventLog(client)
        client.rest("PATCH", f"{DOORS}/reader-ports/1", {"protocol": "osdp", "baud": 115200})
        client.rest("PATCH", f"{DOORS}/readers/reader1/settings", {"enabled": True, "key": KEY})

        def status(state: str) -> dict[str, Any]:
            found: list[dict[str, Any]] = []

            def look() -> bool:
                found[:] = [
                    event
                    for event in log.all()
                    if event["topic"] == topics.ID_POINT_STATUS and event["source"] == {"IdPointToken": "reader1"}
                ]
                return bool(found) and bool(found[-1]["data"]["State"] == state)

            wait_for(f"the reader to be {state}", look, PATIENCE)
            return found[-1]

        reader = MultiDrop(line, {0: KEY})
        status("Online")
        with device.board(PATIENCE) as board:
            pulled = board.call("state")["t_ns"]
            reader.close()  # closes the pty: the controller reads an error
            lost = status("Offline")
            assert OFFLINE_NS - POLL_NS < lost["t_ns"] - pulled < OFFLINE_NS + BUSY_NS
            again = MultiDrop(PtyLine(link), {0: KEY})
            plugged = board.call("state")["t_ns"]
            assert status("Online")["t_ns"] - plugged < BACK_NS
        assert ("relay1", True) not in [(edge.io, edge.active) for edge in device.tap.drain()]
        wait_for("the secure channel", lambda: client.rest("GET", f"{DOORS}/readers")[0]["link"] == "secure", PATIENCE)
        again.card(0, VALUE)
        device.tap.expect(RELAY, True, PATIENCE)
        again.close()


def refuse_peripherals(client: net.Client) -> None:
    """Nothing is there yet, and what is asked for makes no sense."""
    bad: tuple[tuple[str, str, Any, int, str], ...] = (
        ("POST", "expansions", {"port": 2, "address": 2}, 409, "encryption key"),
        ("POST", "expansion-key", {"key": "11" * 16}, 400, "weak"),
        ("POST", "floors", {"module": "module1", "relay": 1}, 404, "module1"),
        ("POST", "floors", {"module": "module1", "relay": 1, "token": "door1"}, 400, "token"),
        ("POST", "network-readers", {"kind": "intercom"}, 400, "host"),
        ("POST", "network-readers", {"kind": "nose"}, 400, "kind"),
        ("PATCH", "network-readers/netreader1", {"name": "x"}, 404, "netreader1"),
        ("POST", "wireless-locks", {}, 409, "hub"),
        ("POST", "wireless-hub", {"connected": 1}, 400, "connected"),
        ("DELETE", "expansions/module1", None, 404, "module1"),
        ("POST", "expansions/module1/outputs", {"relay": 1, "active": True}, 404, "module1"),
    )
    for method, path, data, status, named in bad:
        with pytest.raises(net.HttpError) as refused:
            client.rest(method, f"{DOORS}/{path}", data)
        assert refused.value.status == status, (path, refused.value)
        assert named in refused.value.body, (path, refused.value.body)


def test_a_card_in_the_cabin_moves_the_relay_of_a_floor_and_nothing_half_done_is_stored() -> None:
    """Manual 002, Add AXIS A9910, Elevator control: modules on one reader port, the reader in the cabin on another."""
    with Instance(model="a1710-b") as device:
        let_in(device.data_dir, "a1710-b", access_points={"floor1access": "floor1"})
        device.start()
        device.create_admin()
        client = device.client()
        refuse_peripherals(client)
        key = client.rest("POST", f"{DOORS}/expansion-key", {})["key"]
        assert client.rest("GET", f"{DOORS}/expansion-key") == {"key_set": True}
        cabin, far = device.running.rs485.split()[:2]
        reader, module = MultiDrop(cabin, {0: KEY}), MultiDrop(far, {2: key})
        try:
            client.rest("PATCH", f"{DOORS}/readers/reader1/settings", {"enabled": True, "key": KEY})
            assert client.rest("POST", f"{DOORS}/expansions", {"port": 2, "address": 2})["token"] == "module1"
            floor = client.rest("POST", f"{DOORS}/floors", {"module": "module1", "relay": 3, "access_ms": 4000})
            assert floor["token"] == "floor1"

            def there() -> bool:
                (one,) = client.rest("GET", f"{DOORS}/expansions")
                links = [entry["link"] for entry in client.rest("GET", f"{DOORS}/readers")]
                return bool(one["link"] == "secure" and links[0] == "secure")

            wait_for("the module and the reader", there, PATIENCE, 0.02)
            reader.card(0, VALUE)
            opened = (2, (messages.Output(2, 5, 40),))
            wait_for("the relay", lambda: opened in module.commands, PATIENCE, 0.02)
            at_rest = {(2, (messages.Output(2, control, 0),)) for control in (1, 3)}
            assert set(module.commands) - {opened} <= at_rest, "and nothing else"
            client.rest("POST", f"{DOORS}/expansions/module1/outputs", {"relay": 1, "active": True})
            wait_for("relay 1", lambda: (2, (messages.Output(0, 4, 0),)) in module.commands, PATIENCE, 0.02)
            client.rest("POST", f"{DOORS}/wireless-hub", {"connected": True})
            assert client.rest("POST", f"{DOORS}/wireless-locks", {})["token"] == "lock1"
            with device.board(PATIENCE) as board:
                board.call("wireless", lock="lock1", bits=f"{VALUE:026b}")
                log = net.EventLog(client)
                topic = f"{topics.ACCESS_DENIED}Credential"
                wait_for("the refusal", lambda: any(e["topic"].startswith(topic) for e in log.all()), PATIENCE)
                assert board.call("state")["wireless"] == {"lock1": False}
                board.call("wireless", up=False)
            assert client.rest("GET", f"{DOORS}/wireless-hub") == {"connected": True, "name": "", "up": False}
        finally:
            reader.close()
            module.close()
