"""axcore.toml: good files, and errors that name file, line and key."""

import pathlib

import pytest

from axcore.errors import ConfigError
from axcore.interfaces.cli.main import main
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
