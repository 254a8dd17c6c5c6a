"""The verbs against a running device, as a user types them."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from axcore.interfaces.cli.instance import Instance
from axcore.model.events import RFID
from tests.e2e.patience import PATIENCE


@pytest.fixture(scope="module")
def running() -> Iterator[Instance]:
    with Instance() as instance:
        instance.start()
        yield instance


def axcore(device: Instance, *words: str, said: str = "") -> subprocess.CompletedProcess[str]:
    """Run a verb on this device."""
    command = [sys.executable, "-m", "axcore", *words, "--data-dir", str(device.data_dir)]
    return subprocess.run(command, input=said, capture_output=True, text=True, timeout=PATIENCE, check=False)


def answer(device: Instance, *words: str) -> Any:
    """Run a verb with --json; it must succeed."""
    done = axcore(device, *words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_run_tells_a_user_what_to_do_next(running: Instance) -> None:
    said = running.output()
    for text in (
        running.running.https,
        running.running.http,
        "axcore account add",
        "axcore sim card",
        str(running.data_dir),
    ):
        assert text in said


def test_account_life(running: Instance) -> None:
    first = axcore(running, "account", "list")
    assert first.returncode == 1
    assert "axcore account add admin --role admin" in first.stderr
    no_admin = axcore(running, "account", "add", "guest", "--password-file", "-", said="guest\n")
    assert no_admin.returncode == 1
    assert "must be an admin" in no_admin.stderr
    added = axcore(
        running, "account", "add", "admin", "--role", "admin", "--password-file", "-", said="correct horse\n"
    )
    assert added.returncode == 0, added.stderr
    login = ["--login", "admin", "--login-password-file", "-"]
    password = running.data_dir / "new-password"
    password.write_text("viewer's password\n")
    second = axcore(running, "account", "add", "eve", "--password-file", str(password), *login, said="correct horse\n")
    assert second.returncode == 0, second.stderr
    listed = axcore(running, "account", "list", *login, "--json", said="correct horse\n")
    assert {a["name"]: a["role"] for a in json.loads(listed.stdout)} == {"admin": "admin", "eve": "viewer"}
    changed = axcore(
        running, "account", "passwd", "eve", "--password-file", str(password), *login, said="correct horse\n"
    )
    assert changed.returncode == 0, changed.stderr
    removed = axcore(running, "account", "remove", "eve", *login, said="correct horse\n")
    assert removed.returncode == 0, removed.stderr
    wrong = axcore(running, "account", "list", *login, said="wrong\n")
    assert wrong.returncode == 1
    assert "refused" in wrong.stderr


def test_status(running: Instance) -> None:
    facts = answer(running, "status")
    assert (facts["ready"], facts["model"]) == ("yes", "a8207-ve-mk2")
    assert facts["pid"] == running.pid


def test_sim_and_events(running: Instance) -> None:
    last = max((event["id"] for event in answer(running, "events")), default=0)
    card = ["--card", "10213", "--facility", "0", "--interval-us", "200"]
    assert answer(running, "sim", "card", *card, "--correlation", "one")["hex"] == "02004fcb"
    answer(running, "sim", "qr", "hello", "--correlation", "two")
    done = axcore(running, "events", "--follow", "--after", str(last), "--topic", "rfid", "--count", "1", "--json")
    (event,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert (event["topic"], event["correlation"], event["data"]["card"]) == (RFID, "one", "02004fcb")
    assert event["id"] > last
    said = axcore(running, "events", "--correlation", "one").stdout
    assert "Intercom/RFID" in said
    assert "(one)" in said


def test_trace_file(running: Instance) -> None:
    bits = f"{0x02004FCB:026b}"
    edges = [[i * 200_000 + late, int(bit), late > 0] for i, bit in enumerate(bits) for late in (0, 40_000)]
    trace = running.data_dir / "trace.csv"
    trace.write_text("t_ns,line,level\n" + "".join(f"{t},{line},{int(level)}\n" for t, line, level in edges))
    answer(running, "sim", "edges", str(trace), "--correlation", "trace")
    done = axcore(running, "events", "--follow", "--correlation", "trace", "--count", "1", "--json")
    assert json.loads(done.stdout.splitlines()[0])["topic"] == RFID


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (("card", "--bits", "01x"), "bits"),
        (("card", "--format", "NOSUCH", "--card", "1"), "format"),
        (("card", "--card", "99999999"), "card"),
        (("keys", "12a"), "keys"),
        (("input", "9", "on"), "port"),
        (("stall", "-1"), "seconds"),
        (("drop", "nothing"), "service"),
    ],
)
def test_the_board_names_the_wrong_field(running: Instance, words: tuple[str, ...], field: str) -> None:
    done = axcore(running, "sim", *words)
    assert done.returncode == 1
    assert field in done.stderr


def test_a_second_device_on_the_same_data_is_refused(running: Instance) -> None:
    done = axcore(running, "run", "a8207-ve-mk2", "--simulate", "--http-port", "0", "--https-port", "0")
    assert done.returncode == 1
    assert str(running.pid) in done.stderr
    assert answer(running, "status")["ready"] == "yes"


def test_version_and_models() -> None:
    for words in (["version", "--build", "--json"], ["models", "--json"]):
        done = subprocess.run([sys.executable, "-m", "axcore", *words], capture_output=True, text=True, check=True)
        assert json.loads(done.stdout)
