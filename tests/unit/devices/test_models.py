"""The capability tables are consistent in themselves and say what the manuals say."""

import pytest

from axcore.devices import MODELS, DeviceModel, model
from axcore.errors import NotFoundError


@pytest.mark.parametrize("device", MODELS.values(), ids=str)
def test_tables_are_consistent(device: DeviceModel) -> None:
    inputs, outputs = [line.name for line in device.inputs], [line.name for line in device.outputs]
    assert len(set(inputs)) == len(inputs)
    assert len(set(outputs)) == len(outputs)
    assert [spec.id for spec in device.ports] == list(range(len(device.ports)))
    names = [name.casefold() for spec in device.ports for name in (spec.name, *spec.aliases)]
    assert len(set(names)) == len(names)
    for spec in device.ports:
        assert spec.input is None or spec.input in inputs
        assert spec.output is None or spec.output in outputs
        assert spec.configurable == (spec.input is not None and spec.output is not None)
        assert (spec.input if spec.direction == "input" else spec.output) is not None
    assert device.rex_input is None or device.rex_input in inputs
    assert all(10_000 <= line.debounce_ns <= 100_000_000 for line in device.inputs)


def test_door_station() -> None:
    device = model("a8207-ve-mk2")
    assert device.prod_nbr == "A8207-VE Mk II"
    assert device.secure_card_data
    assert not model("a8207-ve").secure_card_data
    assert device.ports[4].name == "Door"
    assert device.output_index("relay1") == 0
    assert device.input_index("rex") == 4
    for method in (device.input_index, device.output_index):
        with pytest.raises(NotFoundError, match="relay9"):
            method("relay9")


def test_unknown_model_lists_the_known() -> None:
    with pytest.raises(NotFoundError, match="a8207-ve"):
        model("a9999")


def test_strobe_siren() -> None:
    device = model("d4100-ve-mk2")
    assert device.siren
    assert [line.name for line in device.inputs if line.role == "control"] == ["control"]
    assert [sensor.name for sensor in device.sensors if sensor.kind == "power"] == ["poe"]
    assert [device.id for device in MODELS.values() if device.siren] == ["d4100-ve-mk2"]
