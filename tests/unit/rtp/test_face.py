"""The public face of axcore.rtp: sessions that talk, keys that come through, reports, records, the jitter buffer."""

from __future__ import annotations

import pytest

from axcore import rtp
from axcore.errors import FormatError

MS = 1_000_000
PCM = bytes(160)


def test_two_sessions_talk_over_srtp() -> None:
    a, b = rtp.Session(cname="a", seed=1), rtp.Session(cname="b", seed=2)
    seal, open_ = (rtp.SrtpContext(rtp.Profile.AES_GCM, bytes(range(16)), bytes(12)) for _ in range(2))
    heard = []
    for i in range(300):
        now = i * 20 * MS + 1
        packet = a.send(bytes([i % 256]) * 160, now)
        assert packet is not None
        got = b.receive(open_.unprotect(seal.protect(packet)), now + 5 * MS)
        assert got.packet is not None
        heard.append(got.packet.payload[0])
    assert heard == [i % 256 for i in range(300)]
    assert b.state(6000 * MS) is rtp.State.ACTIVE
    assert b.state(9000 * MS) is rtp.State.SILENT
    assert b.stats["lost"] == 0
    assert b.stats["taken"] == a.stats["sent"] == 300


def test_a_session_is_paced() -> None:
    session = rtp.Session(seed=1)
    assert session.send(PCM, 1) is not None
    assert session.due_ns == 20 * MS + 1
    assert session.send(PCM, 10 * MS) is None
    assert session.send(None, 21 * MS) is None
    marked = session.send(PCM, 41 * MS)
    assert marked is not None
    assert rtp.parse(marked).marker


def test_a_key_goes_through() -> None:
    a, b, keys = rtp.Session(seed=1), rtp.Session(seed=2), rtp.TelephoneEvents()
    a.press(11, 800)
    told = []
    for i in range(20):
        now = 1 + i * 20 * MS
        data = a.send(PCM, now)
        assert data is not None
        got = b.receive(data, now)
        if got.verdict == "event" and got.packet:
            told += keys.feed(got.packet, now) + keys.feed(got.packet, now)
    assert not a.pressing
    assert [(k.pressed, k.digit, k.duration) for k in told] == [(True, "#", 160), (False, "#", 800)]
    assert keys.stats["repeated"] > 0
    assert rtp.Key(True, 16, 0, 0, 0, False, 0).digit is None


def test_a_key_whose_end_is_lost_is_released() -> None:
    keys = rtp.TelephoneEvents()
    (press,) = keys.feed_payload(1, 100, bytes([1, 10, 0, 160]), 0)
    assert press.pressed
    assert keys.poll(100 * MS) == []
    (release,) = keys.poll(200 * MS)
    assert (release.pressed, release.end_lost, release.digit) == (False, True, "1")
    keys.reset()
    assert len(keys.feed_payload(2, 100, bytes([1, 138, 0, 160]), 0)) == 2


def test_reports_go_both_ways() -> None:
    a, b = rtp.Session(seed=1, cname="door"), rtp.Session(seed=2)
    packet = a.send(PCM, 1)
    assert packet is not None
    b.receive(packet, 1)
    report = a.report(100 * MS, 1_700_000_000.5)
    assert report is not None
    sent, names = rtp.parse_rtcp(report)
    assert isinstance(sent, rtp.SenderReport)
    assert sent.sender.ntp >> 32 == 1_700_000_000 + 2_208_988_800
    assert sent.sender.packets == 1
    assert isinstance(names, rtp.SourceDescription)
    assert names.items[0].data == b"door"
    assert a.report_due_ns > 100 * MS
    assert a.report(100 * MS, 0) is None
    assert b.receive(report, 100 * MS).verdict == "rtcp"
    back = b.report(200 * MS, 0)
    assert back is not None
    (answer, _) = rtp.parse_rtcp(back)
    assert isinstance(answer, rtp.ReceiverReport)
    assert answer.reports[0].ssrc == a.ssrc
    assert a.receive(back, 210 * MS).verdict == "rtcp"
    assert a.stats["rtt_us"] == pytest.approx(10_000, abs=100)
    goodbye = a.report(300 * MS, 0, bye="done")
    assert goodbye is not None
    assert rtp.parse_rtcp(goodbye)[-1] == rtp.Goodbye((a.ssrc,), b"done")
    b.receive(goodbye, 300 * MS)
    assert b.state(300 * MS) is rtp.State.ENDED


def test_rtcp_builds_and_parses() -> None:
    info = rtp.SenderInfo(2**63, 5, 6, 7)
    report = rtp.Report(1, 255, -5, 2**32 - 1, 3, 4, 5)
    data = rtp.build_rtcp(42, sender=info, reports=[report, report], cname="x", bye="")
    assert rtp.parse_rtcp(data) == [
        rtp.SenderReport(42, info, (report, report)),
        rtp.SourceDescription((rtp.Item(42, 1, b"x"),)),
        rtp.Goodbye((42,)),
    ]
    assert rtp.parse_rtcp(rtp.build_rtcp(42)) == [rtp.ReceiverReport(42)]
    feedback = bytes.fromhex("81ce0002") + bytes(8)
    with pytest.raises(FormatError):
        rtp.parse_rtcp(feedback)
    assert rtp.parse_rtcp(feedback, reduced=True) == [rtp.Block(206, 1, bytes(8))]


@pytest.mark.parametrize(
    ("data", "verdict"),
    [
        (b"", "other"),
        (b"\x80\x00", "malformed"),
        (b"\x81\xc8\x00\x00", "malformed"),
        (rtp.build(b"", 55, 0, 0, 1), "payload_type"),
        (rtp.build(b"", 0, 0, 0, 99), "loop"),
    ],
)
def test_bad_datagrams_are_dropped_and_counted(data: bytes, verdict: str) -> None:
    session = rtp.Session(seed=1, ssrc=99)
    assert session.receive(data, 0) == rtp.Received(verdict)
    assert session.stats[f"dropped_{verdict}"] == 1
    assert session.state(0) is rtp.State.IDLE


def test_records_of_a_batch() -> None:
    batch = rtp.Batch([rtp.build(bytes(i), 8, i, 160 * i, 7, marker=i == 0) for i in range(4)] + [b"bad"])
    found = rtp.records(batch)
    assert found["sequence"].tolist() == [0, 1, 2, 3, 0]
    assert found["payload_size"].tolist() == [0, 1, 2, 3, 0]
    assert found["payload_at"].tolist() == [12, 12, 12, 12, 0]
    assert found["marker"].tolist() == [1, 0, 0, 0, 0]
    assert not found.flags.writeable


def test_jitter_buffer_plays_in_order_and_conceals() -> None:
    buffer = rtp.JitterBuffer(8000, 160)
    for i in (0, 2, 1, 4):
        assert buffer.put(rtp.parse(rtp.build(bytes([i]), 0, i, 160 * i, 7)), i * MS) == "stored"
    assert buffer.put(rtp.parse(rtp.build(b"", 0, 4, 640, 7)), 5 * MS) == "duplicate"
    assert len(buffer) == 4
    now, heard = 60 * MS, []
    while len(heard) < 5:
        sound = buffer.get(now)
        assert sound.play > 0
        if sound.payload:
            heard.append(sound.payload[0])
        elif sound.kind is rtp.Kind.CONCEAL:
            heard.append(-1)
        now += sound.play * 125_000
        if sound.kind is rtp.Kind.WAIT:
            assert now < 400 * MS
        if heard == [0, 1, 2, 4]:
            break
    assert [h for h in heard if h >= 0] == [0, 1, 2, 4]
    assert buffer.stats["lost"] == 1
    assert buffer.put(rtp.parse(rtp.build(b"", 0, 3, 480, 7)), now) == "late"
    buffer.reset()
    assert len(buffer) == 0
    assert buffer.target_us > 0


def test_a_frame_begins_with_a_tick_and_comes_in_parts() -> None:
    buffer = rtp.JitterBuffer(8000, 160, tick_us=10_000)
    ahead, frames, parts = 0, [], []
    for tick in range(200):
        now = tick * 10 * MS
        if tick % 2 == 0:  # 3 ms before this tick.
            packet = rtp.parse(rtp.build(bytes(160), 0, tick // 2, 80 * tick, 7))
            assert buffer.put(packet, now - 3 * MS + 20 * MS) == "stored"
        while ahead < 10 * MS:
            sound = buffer.get(now + 20 * MS, ahead)
            if sound.payload is not None:
                frames.append((sound.timestamp // 160, ahead, sound.delay_us))
            if sound.payload is not None or sound.kind is rtp.Kind.REST:
                parts.append(sound.ticks)
            ahead += sound.play * 125_000
        ahead -= 10 * MS
    assert [number for number, _, _ in frames] == list(range(len(frames)))
    assert {late for _, late, _ in frames} == {0}
    assert {delay for _, _, delay in frames} <= {3000, 13000}
    assert set(parts) == {80}
    assert buffer.stats["longer"] == buffer.stats["lost"] == buffer.stats["concealed_ticks"] == 0


def test_profiles_say_what_they_take() -> None:
    assert [p.salt_size for p in rtp.Profile] == [14, 14, 12]
    context = rtp.SrtpContext("AES_CM_128_HMAC_SHA1_32", bytes(16), bytes(14))
    context.set_roc(7, 3)
    assert len(context.protect(rtp.build(b"", 0, 0, 0, 7))) == 16
    report = rtp.build_rtcp(7)
    assert len(context.protect_rtcp(report)) == len(report) + 14
    assert context.stats["packets"] == 2
    assert "key" not in repr(context).lower()
