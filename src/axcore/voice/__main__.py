"""``python -m axcore.voice --socket FD``: started by the device, never by hand."""

from __future__ import annotations

import argparse
import gc
import os
import socket
import sys
import traceback

from axcore.model.voice import Configure

from .link import Link


def main() -> int:
    """Run until the device says so or is gone."""
    parser = argparse.ArgumentParser(prog="axcore.voice", description="SIP signalling for a running axcore device.")
    parser.add_argument("--socket", type=int, required=True, metavar="FD", help="connected UNIX stream socket")
    link = Link(socket.socket(fileno=parser.parse_args().socket))
    configure = link.first()
    if not isinstance(configure, Configure):
        print("the first command must be Configure", file=sys.stderr)
        return 2
    from .stack import Stack

    gc.disable()  # Objects of PJSIP end when the owner thread lets go of them, and at no other moment.
    code = 1
    try:
        Stack(configure, link).run()
        code = 0
    except Exception:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)  # No destructor of PJSIP's runs at an unexpected moment.


if __name__ == "__main__":
    sys.exit(main())
