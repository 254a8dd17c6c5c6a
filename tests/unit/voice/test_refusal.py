"""Which answer a request gets that nobody in PJSIP wants."""

import pytest
from sip_peers import Peer

pytest.importorskip("pjsua2", reason="no wheel of pjsua2-python for this Python (extra axcore[voice])")

from axcore.testing.phone import Phone
from axcore.voice.refusal import status_for


@pytest.mark.parametrize(
    ("info", "status"),
    [
        ("Request msg REGISTER/cseq=1 (rdata0x7f)", 405),
        ("Request msg BYE/cseq=2 (rdata0x7f)", 481),
        ("Request msg CANCEL/cseq=2 (rdata0x7f)", 481),
        ("Request msg RE%47IST%45R/cseq=2 (rdata0x7f)", 501),
        ("Request msg REFER/cseq=2 (rdata0x7f)", 403),
        ("Request msg ACK/cseq=2 (rdata0x7f)", 0),
        ("rdata0x7f0123", 501),
    ],
)
def test_the_answer_follows_from_the_method(info: str, status: int) -> None:
    assert status_for(info) == status


def test_it_is_given_by_a_voice_process() -> None:
    with Phone("ada") as ada:
        assert ada.ready is not None
        with Peer(ada.ready.port) as peer:
            for method, status in (("REGISTER", 405), ("PUBLISH", 405), ("BYE", 481), ("CANCEL", 481), ("XYZZY", 501)):
                data = peer.request(method)
                answer = peer.ask(data, lambda one, method=method: one.method == method)
                assert answer.status == status
                assert ("INVITE" in answer["allow"]) is (status == 405)
            peer.send(peer.request("ACK"))
            peer.options()
            assert [one for one in peer.waiting if one.method == "ACK"] == []
