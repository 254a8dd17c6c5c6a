"""What the manuals of the door controllers say of a door's wires (*Door connector*, *Door relay connector*, *Relay
connector*, *Supervised inputs*), sentence by sentence. Sections are named in each test."""

from __future__ import annotations

import pytest

from axcore.devices.supervised import CONNECTIONS, TABLE, classify, of_monitor, resistance, targets, voltage
from axcore.errors import NotFoundError
from axcore.model.doors import DoorMonitor, LockConfiguration
from axcore.testing.doors import Bench

SUPERVISED = {"monitor": {"value_when_open": "Supervised Open", "value_when_closed": "Supervised Ground"}}


# --- manuals: Door connector, Supervised inputs -----------------------------------------------------------------------


def test_an_interrupted_door_monitor_triggers_an_alarm() -> None:
    """Door connector: a supervised monitor whose connection is interrupted triggers an alarm."""
    for line, reason in (("cut", "Cut"), ("short", "Short")):
        door = Bench(**SUPERVISED)
        door.line(line)  # type: ignore[arg-type]
        state = door.machine.state
        assert (state.tamper, state.tamper_reason, state.fault) == ("TamperDetected", reason, "FaultDetected")
        assert state.door == "Fault"
        assert state.fault_reasons == ("DoorMonitorFault",)
        door.closed()
        state = door.machine.state
        assert (state.tamper, state.fault, state.door) == ("NotInTamper", "NotInFault", "Closed")


def test_four_states_are_told_apart() -> None:
    """Supervised inputs: open, closed, short (to ground), cut (no path to ground)."""
    for connection in CONNECTIONS:
        for state in ("open", "closed", "short", "cut"):
            seen = voltage(resistance(connection, state))  # type: ignore[arg-type]
            assert classify(seen, targets(connection)) == state, (connection, state)


def test_parallel_first_takes_4k7_and_22k() -> None:
    """Supervised inputs: parallel first connection has 4.7 kOhm and 22 kOhm."""
    assert resistance("parallel", "open") == 22_000
    assert resistance("parallel", "closed") == pytest.approx(22_000 * 4_700 / 26_700)
    for state, target in (("open", 1855), ("closed", 740), ("cut", 2755), ("short", 0)):
        assert voltage(resistance("parallel", state)) == pytest.approx(target, abs=10)  # type: ignore[arg-type]
    assert of_monitor(DoorMonitor()) == TABLE["parallel"]


@pytest.mark.parametrize("kilo", ["1k", "2k2", "4k7", "10k"])
def test_serial_first_takes_two_equal_resistors(kilo: str) -> None:
    """Supervised inputs: serial first connection has equal values of 1, 2.2, 4.7 or 10 kOhm."""
    connection = f"serial_{kilo}"
    assert resistance(connection, "open") == 2 * resistance(connection, "closed")  # type: ignore[arg-type]
    table = targets(connection)
    assert 0 == table.short < table.closed < table.open < table.cut
    with pytest.raises(NotFoundError, match="parallel"):
        targets("serial_3k3")


def test_connect_to_ground_to_activate_or_leave_floating_to_deactivate() -> None:
    """Door connector: ground activates the input. A monitor may close its circuit with the door open or closed."""
    closing = DoorMonitor(type="Standard", value_when_open="Input Ground", value_when_closed="Input Open")
    opening = DoorMonitor(type="Standard")
    assert (closing.physical("closed"), closing.physical("open")) == ("Open", "Closed")
    assert (opening.physical("closed"), opening.physical("open")) == ("Closed", "Open")


# --- manuals: Relay connector, Door relay connector -------------------------------------------------------------------


def test_a_fail_secure_lock_hangs_on_no_and_a_fail_safe_lock_on_nc() -> None:
    """Relay connector: fail-secure between NO and ground, fail-safe between NC and ground; the relay unlocks both."""
    assert LockConfiguration(type="Relay", contact="NO").fail == "secure"
    assert LockConfiguration(type="Relay", contact="NC").fail == "safe"
    assert LockConfiguration(type="Relay", contact="NO", relay_when_locked="Closed").fail == "safe"
    assert LockConfiguration(type="Standard", value_when_locked="12V", value_when_unlocked="Gnd").fail == "safe"
    assert LockConfiguration(type="Standard").fail == "secure"


def test_the_relay_is_active_when_com_is_connected_to_no() -> None:
    """LED indicators: relay active = COM connected to NO; ``RelayStateWhenLocked`` says when."""
    door = Bench()
    assert door.relay == "Open"
    door.do("unlock_door")
    assert door.relay == "Closed"
    inverted = Bench(lock={"relay_when_locked": "Closed"})
    assert inverted.relay == "Closed"
    inverted.do("unlock_door")
    assert inverted.relay == "Open"
    standard = Bench(lock={"type": "Standard"})
    assert standard.relay == "Gnd"
    standard.do("access")
    assert standard.relay == "12V"
