"""baresip (Debian) as a telephone: a folder of its own, no registrar, sound from and to files, keys by its terminal."""

from __future__ import annotations

import array
import contextlib
import json
import os
import pty
import shutil
import socket
import subprocess
import threading
import time
import wave
from pathlib import Path
from types import TracebackType

from axcore.interfaces.http.tls import self_signed
from axcore.testing.ports import free_port
from tests.e2e.patience import PATIENCE

MODULES = Path("/usr/lib/baresip/modules")
RTP_PORTS = 100
CONFIG = """poll_method epoll
sip_listen 127.0.0.1:{port}
sip_certificate {folder}/pem
net_interface 127.0.0.1
call_local_timeout 120
call_max_calls 4
audio_source aufile,{folder}/said.wav
audio_player aubridge,nil
audio_alert aubridge,nil
rtp_ports {rtp}-{last}
module_path {modules}
module stdio.so
module g711.so
module g722.so
module l16.so
module aufile.so
module aubridge.so
module sndfile.so
module srtp.so
{modules_nat}snd_path {folder}
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
"""


def missing() -> str:
    """Why it cannot be used; empty if it can."""
    if shutil.which("baresip") is None or not (MODULES / "aufile.so").exists():
        return "baresip is not installed (.ci/need baresip-core)"
    return ""


class Baresip:
    """See the module's text. ``codec`` as in its accounts file; ``encryption``: ``srtp-mand`` or empty; ``nat``: what
    it does about NAT (``ice`` or ``turn``), and parameters of its servers."""

    def __init__(
        self,
        folder: Path,
        *,
        codec: str = "PCMU/8000/1",
        encryption: str = "",
        transport: str = "udp",
        nat: tuple[str, ...] = (),
    ) -> None:
        self.folder, self.transport = folder, transport
        self._rate = int(codec.split("/")[1])
        self.port, self._control = free_port(), free_port()
        folder.mkdir()
        rtp = free_port(RTP_PORTS)
        values = {"port": self.port, "folder": folder, "rtp": rtp, "last": rtp + RTP_PORTS - 1}
        load = f"module {nat[0]}.so\n" if nat else ""
        config = CONFIG.format(modules=MODULES, control=self._control, modules_nat=load, **values)
        (folder / "config").write_text(config)
        more = f";mediaenc={encryption}" if encryption else ""
        more += "".join(f";{one}" for one in (f"medianat={nat[0]}", *nat[1:])) if nat else ""
        account = f"<sip:bob@127.0.0.1;transport={transport}>;regint=0;answermode=auto;audio_codecs={codec}{more}\n"
        (folder / "accounts").write_text(account)
        (folder / "contacts").write_text("")
        (folder / "pem").write_bytes(self_signed("bob"))
        with wave.open(str(folder / "said.wav"), "wb") as said:
            said.setnchannels(1)
            said.setsampwidth(2)
            said.setframerate(self._rate)
            half = self._rate // 1000  # 500 Hz
            said.writeframes(array.array("h", ([8000] * half + [-8000] * half) * 30_000).tobytes())
        self._terminal = -1
        self._said = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None

    @property
    def uri(self) -> str:
        """How it is called. Its TLS port is the one after that of UDP and TCP."""
        return f"sip:bob@127.0.0.1:{self.port + (self.transport == 'tls')};transport={self.transport}"

    def __enter__(self) -> Baresip:
        self._terminal, far = pty.openpty()
        command = ["baresip", "-f", str(self.folder)]
        self._process = subprocess.Popen(
            command, stdin=far, stdout=far, stderr=far, cwd=self.folder, start_new_session=True
        )
        os.close(far)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.wait("baresip is ready")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        assert self._reader is not None
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        os.close(self._terminal)

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # its end of the terminal is closed
            while data := os.read(self._terminal, 4096):
                self._said += data.decode(errors="replace")

    def wait(self, text: str) -> None:
        """Wait until it has written this."""
        until = time.monotonic() + PATIENCE
        while text not in self._said:
            assert time.monotonic() < until, f"no {text!r} in\n{self._said[-2000:]}"
            time.sleep(0.01)

    def press(self, key: str) -> None:
        """A key, while it talks."""
        os.write(self._terminal, key.encode())

    def command(self, name: str, params: str = "") -> None:
        """A command of its menu (netstring of JSON)."""
        body = json.dumps({"command": name, "params": params}).encode()
        with socket.create_connection(("127.0.0.1", self._control), PATIENCE) as control:
            control.sendall(b"%d:%s," % (len(body), body))
            control.settimeout(PATIENCE)
            control.recv(4096)

    def heard(self) -> int:
        """The loudest sample that it heard in the calls that are over."""
        loudest = 0
        for path in self.folder.glob("dump-*-dec.wav"):
            data = path.read_bytes()[44:]
            samples = array.array("h", data[: len(data) & ~1])
            loudest = max([loudest, *map(abs, samples[::3])])
        return loudest
