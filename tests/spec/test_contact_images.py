"""Seed 001: Contact list > Upload image, download and import as a JSON file."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest
from intercom_bench import IntercomBench

from axcore.errors import InputError, LimitError, NotFoundError
from axcore.model.intercom import ContactSpec, GroupSpec
from axcore.services.intercom import ContactFile
from tests.unit.model.test_images import jpeg, png


@pytest.fixture
def bench() -> IntercomBench:
    found = IntercomBench()
    contacts = found.intercom.contacts
    ada = ContactSpec(first_name="Ada", sip_address="sip:ada@10.0.0.2")
    found.do(lambda tx: contacts.add_contact(tx, ada))
    found.do(lambda tx: contacts.add_group(tx, GroupSpec(name="Front", recipients=("contact1",))))
    return found


def put(bench: IntercomBench, key: str, data: bytes) -> Any:
    return bench.do(lambda tx: bench.intercom.contacts.set_picture(tx, key, data))


def test_upload_an_image_to_represent_the_contact_and_the_group(bench: IntercomBench) -> None:
    put(bench, "contact1", jpeg(40, 30))
    put(bench, "contact1", png(40, 30))
    put(bench, "group2", jpeg())
    pictures = bench.intercom.contacts.pictures
    assert pictures.get("contact1") == (("image/png", 40, 30), png(40, 30))
    bench.ledger.load(bench.intercom.load)
    assert pictures.get("group2") == (("image/jpeg", 3, 2), jpeg())


def test_what_is_no_image_changes_nothing(bench: IntercomBench) -> None:
    put(bench, "contact1", png())
    with pytest.raises(InputError):
        put(bench, "contact1", b"%PDF-1.7")
    with pytest.raises(NotFoundError):
        put(bench, "contact9", png())
    assert bench.intercom.contacts.pictures.all == {"contact1": png()}


def test_delete_contact_deletes_its_image(bench: IntercomBench) -> None:
    put(bench, "contact1", png())
    put(bench, "group2", png())
    bench.do(lambda tx: bench.intercom.contacts.remove_contact(tx, "contact1"))
    bench.do(lambda tx: bench.intercom.contacts.remove_group(tx, "group2"))
    assert bench.intercom.contacts.pictures.all == {}
    with pytest.raises(NotFoundError):
        bench.intercom.contacts.pictures.get("contact1")


def test_download_and_import_are_one_with_images(bench: IntercomBench) -> None:
    put(bench, "contact1", png())
    file = msgspec.json.decode(msgspec.json.encode(bench.intercom.contacts.export()), type=ContactFile)
    assert base64.b64decode(file.images["contact1"]) == png()
    other = IntercomBench()
    other.do(lambda tx: other.intercom.contacts.replace(tx, file))
    assert other.intercom.contacts.export() == file
    put(bench, "group2", jpeg())
    bench.do(lambda tx: bench.intercom.contacts.replace(tx, file))  # what the file does not have is gone
    assert bench.intercom.contacts.export() == file


@pytest.mark.parametrize(
    ("images", "field"),
    [
        ({"contact1": "%%%"}, "images.contact1"),
        ({"contact1": base64.b64encode(b"GIF89a").decode()}, "images.contact1"),
        ({"contact7": base64.b64encode(png()).decode()}, "images.contact7"),
    ],
)
def test_an_import_with_a_bad_image_changes_nothing(bench: IntercomBench, images: dict[str, str], field: str) -> None:
    put(bench, "contact1", png())
    before = bench.intercom.contacts.export()
    with pytest.raises(InputError) as caught:
        bench.do(lambda tx: bench.intercom.contacts.replace(tx, msgspec.structs.replace(before, images=images)))
    assert caught.value.field == field
    assert bench.intercom.contacts.export() == before


def test_pictures_have_bounds_together(bench: IntercomBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("axcore.services.intercom.pictures.MAX_TOGETHER", len(png()) + 10)
    put(bench, "contact1", png())
    put(bench, "contact1", png())
    with pytest.raises(LimitError):
        put(bench, "group2", png())
