"""The supervisor's protocol (sd_notify(3)): READY after the ports are bound, keep-alives while all threads move."""

import socket
from urllib.parse import urlsplit

from axcore.interfaces.cli.instance import Instance
from tests.e2e.patience import PATIENCE


def test_ready_comes_after_the_ports_are_bound(device: Instance) -> None:
    running = device.start()
    for url in (running.https, running.http):
        parts = urlsplit(url)
        with socket.create_connection((parts.hostname or "", parts.port or 0), PATIENCE):
            pass
    assert "READY=1" in device.states


def test_a_clean_stop_says_so(device: Instance) -> None:
    device.start()
    assert device.stop(PATIENCE) == 0
    while "STOPPING=1" not in device.states:
        assert device.next_state(1.0) is not None
    assert not (device.data_dir / "instance.json").exists()


def test_keep_alives_stop_while_the_loop_is_blocked() -> None:
    with Instance(env={"WATCHDOG_USEC": "1000000"}) as device:
        device.start()
        device.wait_state("WATCHDOG=1", PATIENCE)
        device.wait_state("WATCHDOG=1", PATIENCE)
        with device.board(PATIENCE) as board:
            board.call("stall", seconds=12)
            while device.next_state(0.0):
                pass  # what was sent before the stall
            assert device.next_state(2.0) is None  # twice the limit without a keep-alive
        device.wait_state("WATCHDOG=1", PATIENCE)  # and they come back
