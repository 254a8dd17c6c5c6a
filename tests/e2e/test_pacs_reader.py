"""An OSDP reader that is set up by the access control API alone: its key in the key store, its secure channel, another
key while it is connected, and a card.
"""

from __future__ import annotations

from axcore.interfaces.cli.instance import wait_for
from axcore.model.events import READER_KEY
from axcore.testing.osdp_door import CARD, KEY, READERS, RELAY, OsdpDoor
from tests.e2e.patience import PATIENCE
from tests.e2e.test_pacs_api import Api

OTHER = "00112233445566778899aabbccddee0f"
IDPOINT, KEYS = "/vapix/idpoint", "/vapix/axkey"


def swipe(play: OsdpDoor) -> None:
    """The card is shown at the station, and the controller's relay opens and closes."""
    with play.station.board(PATIENCE) as board:
        board.call("card", **CARD)
    play.controller.tap.expect(RELAY, True, PATIENCE)
    play.controller.tap.expect(RELAY, False, PATIENCE)


def test_a_reader_gets_its_line_its_key_and_another_key() -> None:
    with OsdpDoor(access_ms=500) as play:
        play.start()
        settings = {"protocol": "osdp", "osdp": {"address": 0, "key": KEY}}
        play.station.client().rest("PATCH", f"{READERS}/settings", settings)
        api = Api(play.client)

        def reason() -> str:
            status = api.json("axtid:GetSecureChannelStatus", IDPOINT, Token="reader1")["SecureChannelStatus"]
            found: str = status["Reason"]
            assert status["Active"] == (found == "ConnectionEstablished")
            return found

        assert reason() == "NotSupported"
        values = {
            "IdPoint.Reader.Type": "RS-485HD", "IdPoint.RS-485HD.Protocol": "OSDP",
            "IdPoint.SecureChannel.KeyType": "KeyBase", "IdPoint.SecureChannel.KeyToken": "front",
        }  # fmt: skip
        hardware = {"token": "reader1", "Configuration": [{"Name": n, "Value": v} for n, v in values.items()]}
        api.json("axtid:SetIdPointConfiguration", IDPOINT, IdPointConfiguration=[hardware])
        assert reason() == "NoKey"
        api.json("axkey:SetEncryptionKey", KEYS, EncryptionKey=[{"token": "front", "Key": KEY}])
        wait_for("the secure channel", lambda: reason() == "ConnectionEstablished", PATIENCE, 0.05)
        swipe(play)
        last = api.json("axtid:GetLastCredential", IDPOINT, Token="reader1")["IdData"]
        assert {"Name": "Card", "Value": "02004fcb"} in last
        api.json("axkey:SetEncryptionKey", KEYS, EncryptionKey=[{"token": "front", "Key": OTHER}])
        play.wait_event(READER_KEY)
        wait_for("the secure channel", lambda: reason() == "ConnectionEstablished", PATIENCE, 0.05)
        swipe(play)
        play.station.kill()
        play.start_station()  # it has kept its new key
        wait_for("the secure channel", lambda: reason() == "ConnectionEstablished", PATIENCE, 0.05)
        swipe(play)
        assert all(OTHER not in str(event) and KEY not in str(event) for event in play.log.all())
        assert "Traceback" not in play.controller.output()
