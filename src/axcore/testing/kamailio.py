"""A SIP registrar and proxy for tests: Kamailio with digest and without a database."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

from axcore.testing.ports import free_port

CONFIG = """#!KAMAILIO
debug=0
log_stderror=yes
fork=yes
children=2
tcp_children=1
auto_aliases=no
listen=udp:127.0.0.1:{port}
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "siputils.so"
loadmodule "textops.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too many hops"); exit; }}
    if (is_method("REGISTER")) {{
        if (!pv_www_authenticate("$td", "{password}", "0")) {{ www_challenge("$td", "0"); exit; }}
        save("location");
        exit;
    }}
    if (has_totag()) {{
        if (loose_route()) {{ t_relay(); exit; }}
        if (is_method("ACK")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
        sl_send_reply("404", "Not here");
        exit;
    }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
    if (is_method("INVITE")) {{
        if (!pv_proxy_authenticate("$fd", "{password}", "0")) {{ proxy_challenge("$fd", "0"); exit; }}
        consume_credentials();
        record_route();
    }}
    if (!lookup("location")) {{ sl_send_reply("404", "Not here"); exit; }}
    t_relay();
}}
"""


def program() -> str | None:
    """Where it is; None without it."""
    return shutil.which("kamailio") or shutil.which("kamailio", path="/usr/sbin")


class Kamailio:
    """A running registrar on a free port of 127.0.0.1. Everybody's password is ``password``."""

    def __init__(self, password: str = "secret") -> None:
        self.password = password
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="kamailio-"))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Kamailio:
        found = program()
        assert found is not None, "kamailio is not installed"
        config = self._folder / "kamailio.cfg"
        config.write_text(CONFIG.format(port=self.port, password=self.password))
        log = (self._folder / "log").open("wb")
        with log:
            self._process = subprocess.Popen(
                [found, "-DD", "-E", "-f", str(config), "-w", str(self._folder), "-Y", str(self._folder), "-m", "16"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self._wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _wait(self) -> None:
        """Until it answers a request, whatever the answer."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            probe.settimeout(0.1)
            own = probe.getsockname()[1]
            text = (
                f"OPTIONS sip:x@{self.address} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{own};branch=z9hG4bKp\r\n"
                "Max-Forwards: 0\r\nFrom: <sip:p@127.0.0.1>;tag=p\r\nTo: <sip:x@127.0.0.1>\r\nCall-ID: p\r\n"
                "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
            )
            until = time.monotonic() + 60
            while time.monotonic() < until:
                assert self._process is not None
                if self._process.poll() is not None:
                    break
                try:
                    probe.sendto(text.encode(), ("127.0.0.1", self.port))
                    probe.recv(4096)
                    return
                except (TimeoutError, ConnectionError):
                    continue
        raise RuntimeError("kamailio does not answer: " + (self._folder / "log").read_text()[-2000:])
