"""libosdp (the wheel), both ends in memory, in a process of its own: its binding loses a reference per command.

``python osdp_libosdp.py [KEY]``: for each number N on standard input, N LED commands go from controller to device and
are acknowledged; then ``done`` is printed. The first line printed is ``ready``, when the line is up.
"""

import sys
from collections import deque
from typing import Any

import osdp
import osdp_sys


class Line:
    """One end of a line in memory; whole frames, because the wheel drops what arrives in parts."""

    def __init__(self, out: "deque[bytes]", incoming: "deque[bytes]", name: int) -> None:
        self.out, self.incoming, self.id = out, incoming, name

    def read(self, _limit: int) -> bytes:
        return self.incoming.popleft() if self.incoming else b""

    def write(self, data: bytes) -> int:
        self.out.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        pass


def main() -> None:
    """Serve numbers until the end of the input."""
    key = bytes.fromhex(sys.argv[1]) if len(sys.argv) > 1 else None
    osdp_sys.set_loglevel(2)
    one: deque[bytes] = deque()
    two: deque[bytes] = deque()
    done = [0]

    def on_command(_command: Any) -> Any:
        done[0] += 1
        return 0, None

    cp = osdp_sys.ControlPanel([osdp.PDInfo(1, Line(one, two, 1), scbk=key).get()])
    caps = osdp.PDCapabilities([(4, 1, 1), (8, 1, 0), (9, 1, 1)])
    pd = osdp_sys.PeripheralDevice(osdp.PDInfo(1, Line(two, one, 2), scbk=key).get(), capabilities=caps.get())
    pd.set_command_callback(on_command)
    names = ("reader", "led_number", "control_code", "on_count", "off_count", "on_color", "off_color", "timer_count")
    led = {"command": osdp.Command.LED, "temporary": False, **dict.fromkeys(names, 1), "reader": 0, "led_number": 0}

    def turn() -> None:
        cp.refresh()
        pd.refresh()

    while not (cp.status() and (not key or cp.sc_status())):
        turn()
    print("ready", flush=True)
    for line in sys.stdin:
        wanted, sent = done[0] + int(line), done[0]
        while done[0] < wanted:
            while sent < wanted and sent - done[0] < 8:
                cp.submit_command(0, led)
                sent += 1
            turn()
        print("done", flush=True)


main()
