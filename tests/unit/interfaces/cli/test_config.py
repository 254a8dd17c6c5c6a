"""axcore.toml: good files, and errors that name file, line and key."""

import pathlib

import pytest

from axcore.errors import ConfigError
from axcore.interfaces.cli.main import main
from axcore.interfaces.cli.settings import read_config
from axcore.model.config import parse

GOOD = """
[device]
model = "a8207-ve"
simulate = true

[network]
https_port = 9443
"""


def test_a_good_file() -> None:
    config = parse([("axcore.toml", GOOD)])
    assert config.device.model == "a8207-ve"
    assert (config.network.http_port, config.network.https_port) == (8080, 9443)


def test_the_rtsp_port_is_a_number_or_a_word() -> None:
    assert parse([("axcore.toml", "")]).network.rtsp_port == "auto"
    for text, value in (("0", 0), ("554", 554), ("'off'", "off"), ("'auto'", "auto")):
        assert parse([("axcore.toml", f"[network]\nrtsp_port = {text}\n")]).network.rtsp_port == value


def test_later_files_win_key_by_key() -> None:
    config = parse([("axcore.toml", GOOD), ("conf.d/1.toml", "[network]\nbind = '0.0.0.0'\n")])
    assert (config.network.bind, config.network.https_port) == ("0.0.0.0", 9443)


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        ("[network]\nhttp_port = 70000\n", 2, "network.http_port"),
        ("[network]\n\nhttp_port = 'x'\n", 3, "network.http_port"),
        ("[network]\nbind = '::'\nspeed = 3\n", 3, "network.speed"),
        ("[device]\n[netwrk]\nbind = ''\n", 2, "netwrk"),
        ("network.http_port = -1\n", 1, "network.http_port"),
        ("[network]\nrtsp_port = 70000\n", 2, "network.rtsp_port"),
        ("[network]\nrtsp_port = 'on'\n", 2, "network.rtsp_port"),
        ("device = 3\n", 1, "device"),
        ("[device]\nmodel = \n", 2, "model"),
        ("[device]\nmodel = 'a'\nmodel = 'b'\n", 3, "model"),
        ("[device\n", 1, "[device"),
    ],
)
def test_errors_name_line_and_key(text: str, line: int, key: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse([("axcore.toml", text)])
    assert (raised.value.line, raised.value.key) == (line, key)
    assert str(raised.value).startswith(f"axcore.toml:{line}: {key}: ")


def test_check_verb(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "axcore.toml"
    file.write_text("[network]\nhttp_port = 70000\n")
    assert main(["check", "-c", str(file)]) == 2
    assert f"{file}:2: network.http_port: " in capsys.readouterr().err
    assert main(["check", "-c", str(tmp_path / "none.toml")]) == 2


GPIO = """
[device]
model = "a8207-ve"
[board]
driver = "gpio"
chip = "/dev/gpiochip0"
[board.reader]
d0 = 20
d1 = 21
[board.lines]
relay1 = 5
rex = { offset = 6, flags = ["active_low", "pull_up"] }
"""


REX = 'rex = { offset = 6, flags = ["active_low", "pull_up"] }'


@pytest.mark.parametrize(
    ("old", "new", "line", "key"),
    [
        ('chip = "/dev/gpiochip0"', "", 4, "board.chip"),
        ("d1 = 21", "d1 = 20", 9, "board.reader.d1"),
        ("d1 = 21", "", 7, "board.reader.d1"),
        ("relay1 = 5", "relay1 = -5", 11, "board.lines.relay1"),
        ("relay1 = 5", "relay1 = 6", 12, "board.lines.rex"),
        ("relay1 = 5", "relay9 = 5", 11, "board.lines.relay9"),
        ("relay1 = 5", "relay1 = {}", 11, "board.lines.relay1.offset"),
        (REX, "[wiegand]\nmin_pulse_us = 500", 12, "wiegand.max_pulse_us"),
        (REX, "[wiegand]\nexpect_bits = 200", 13, "wiegand.expect_bits"),
    ],
)
def test_lines_and_windows(tmp_path: pathlib.Path, old: str, new: str, line: int, key: str) -> None:
    file = tmp_path / "axcore.toml"
    file.write_text(GPIO)
    assert read_config(file)[0].board.lines["relay1"] == 5
    file.write_text(GPIO.replace(old, new))
    with pytest.raises(ConfigError) as raised:
        read_config(file)
    assert (raised.value.line, raised.value.key) == (line, key)


def test_reader_ports() -> None:
    config = parse([("axcore.toml", "[serial]\nports = ['/dev/ttyS1', '', '/dev/ttyS2']\n")])
    assert config.serial.ports == ("/dev/ttyS1", "", "/dev/ttyS2")


def test_light_and_sound() -> None:
    strip = "[light]\ndriver = 'apa102'\ndevice = '/dev/spidev0.0'\ncurrent = 9\n[sound]\ndevice = 'hw:0'\n"
    config = parse([("axcore.toml", strip)])
    assert (config.light.driver, config.light.device, config.light.current) == ("apa102", "/dev/spidev0.0", 9)
    assert config.sound.device == "hw:0"
    assert parse([("axcore.toml", GOOD)]).light.driver == "none"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[light]\ndriver = 'ws2812'\n", "light.device"),
        ("[light]\ndriver = 'class'\n", "light.leds"),
        (f"[light]\ndriver = 'class'\nleds = {['/sys/class/leds/a'] * 17}\n", "light.leds"),
        ("[light]\ncurrent = 32\n", "light.current"),
        ("[light]\ndriver = 'neon'\n", "light.driver"),
        ("[sound]\ncard = 'hw:0'\n", "sound.card"),
        ("[serial]\nports = ['/dev/ttyS1', '', '', '', '/dev/ttyS2']\n", "serial.ports"),
        ("[serial]\nports = ['/dev/ttyS1', '/dev/ttyS1']\n", "serial.ports"),
        ("[serial]\nrs485 = '/dev/ttyS1'\nports = ['/dev/ttyS1']\n", "serial.ports"),
        ("[serial]\nports = '/dev/ttyS1'\n", "serial.ports"),
    ],
)
def test_outputs_that_cannot_be(text: str, key: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse([("axcore.toml", text)])
    assert raised.value.key == key
