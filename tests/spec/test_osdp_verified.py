"""SIA's checklist for OSDP devices and controllers (ids of the conformance tool), each testable row by name.

Each id is in one of the tables below: ``COMMANDS``, ``POLLED``, ``QUERIES`` and ``NAKS`` (a message both ways over the
engines), ``HERE`` (a test of this file), ``ELSEWHERE`` (a named test), ``HARDWARE`` (why it needs some), ``GONE`` (no
more in OSDP 2.2). The ids are those that the tool names in its code; those such as 2-4-2 are its older rows, which it
has not renumbered. Its list in a spreadsheet has 141 rows; what more it has is not known here.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from axcore._native.osdp_line import ControlPanel, PeripheralDevice
from axcore.osdp import Color, Command, EventKind, LinkState, Policy, Reply, messages
from axcore.osdp.messages import Message
from axcore.testing.osdp_bus import MemoryLine

TESTS = Path(__file__).parents[1]
KEY = bytes.fromhex("00112233445566778899aabbccddee0f")
FAULTS, ATTACKS, NATIVE = "unit/osdp/test_faults.py", "unit/osdp/test_attacks.py", "unit/native/test_osdp.py"
EDGES, LINES = "unit/osdp/test_edges.py", "unit/drivers/test_osdp_lines.py"
PROPERTY, C_FRAME = "property/test_osdp.py", "../cext/test/test_osdp.c"

HARDWARE = {
    "050-01-01": "physical interface: RS-485 levels and drivers",
    "050-02-01": "signalling: 9600 8N1 on the wire",
    "2-2-2": "other speeds on the wire",
    "2-2-3": "other speeds on the wire",
    "2-2-4": "other speeds on the wire",
    "2-3-1": "character encoding on the wire",
    "2-7-1": "turn-round time at the connector",
}
ELSEWHERE = {
    "050-05-01": (PROPERTY, "test_messages_there_and_back"),
    "050-09-01": (PROPERTY, "test_frames_agree"),
    "050-09-02": (FAULTS, "test_a_restarted_device_is_taken_up_again"),
    "050-09-03": (C_FRAME, "short_reads_never_overrun"),
    "050-09-05": (ATTACKS, "test_the_configuration_address_carries_three_commands_only"),
    "050-09-06": (C_FRAME, "short_reads_never_overrun"),
    "050-09-07": (C_FRAME, "security_blocks"),
    "050-09-09": (NATIVE, "test_codes_are_those_of_the_headers"),
    "050-09-11": (NATIVE, "test_annex_e_frames"),
    "050-09-12": (NATIVE, "test_annex_e_frames"),
    "050-09-15": (NATIVE, "test_annex_e_frames"),
    "2-4-1": (FAULTS, "test_polling_is_fair"),
    "2-4-2": (FAULTS, "test_a_retry_is_the_same_bytes_and_so_is_its_reply"),
    "2-4-3": (FAULTS, "test_busy_repeats_the_command_until_the_answer_is_there"),
    "2-6-1": (FAULTS, "test_a_file_is_transferred_resumed_after_a_loss_and_stopped"),
    "2-6-3": (FAULTS, "test_messages_in_parts_both_ways"),
    "4-4-2": (LINES, "test_cards_keys_inputs_and_tamper_arrive"),
    "070-25-02": (EDGES, "test_a_device_that_takes_its_time_with_a_file"),
    "070-25-03": (EDGES, "test_a_device_that_takes_its_time_with_a_file"),
    "070-25-04": (EDGES, "test_a_device_that_takes_its_time_with_a_file"),
    "2-7-2": (FAULTS, "test_late_replies_do_not_confuse_the_sequence"),
    "2-7-3": (FAULTS, "test_offline_after_8_s_and_back_within_2"),
    "2-8-1": (C_FRAME, "receiver"),
    "2-11-3": (FAULTS, "test_the_configuration_address_finds_and_moves_a_device"),
    "2-14-1": (C_FRAME, "security_blocks"),
    "2-14-2": (ATTACKS, "test_replies_in_clear_are_not_believed_in_a_session"),
    "2-14-3": (ATTACKS, "test_commands_in_clear_are_not_believed_in_a_session"),
    "2-17-1": (FAULTS, "test_messages_in_parts_both_ways"),
    "060-13-01": (FAULTS, "test_comset_moves_the_device_and_the_session_goes_on"),
    "060-16-01": (FAULTS, "test_a_key_change_on_line"),
    "060-17-01": (NATIVE, "test_a_handshake_by_engines_with_the_nonces_of_annex_e"),
    "060-18-01": (NATIVE, "test_a_handshake_by_engines_with_the_nonces_of_annex_e"),
    "060-24-01": (FAULTS, "test_messages_in_parts_both_ways"),
    "060-26-01": (FAULTS, "test_a_file_is_transferred_resumed_after_a_loss_and_stopped"),
    "070-13-01": (FAULTS, "test_comset_moves_the_device_and_the_session_goes_on"),
    "070-16-01": (NATIVE, "test_a_handshake_by_engines_with_the_nonces_of_annex_e"),
    "070-17-01": (ATTACKS, "test_rmac_with_a_failure_status_opens_nothing"),
    "070-19-01": (FAULTS, "test_busy_repeats_the_command_until_the_answer_is_there"),
    "070-25-01": (FAULTS, "test_a_file_is_transferred_resumed_after_a_loss_and_stopped"),
}
GONE = {
    "3-4-1": "DIAG is reserved",
    "3-16-1": "PROMPT is reserved",
    "3-22-1": "MAXREPLY was renamed: 060-20-01",
    "3-24-2": "KEEPACTIVE was renumbered: 060-21-01",
}
"""Rows of commands that the standard has no more."""
HERE = {
    "060-02-01": "test_polls_acurxsize_and_ack_are_on_every_line",
    "060-20-01": "test_polls_acurxsize_and_ack_are_on_every_line",
    "070-02-01": "test_polls_acurxsize_and_ack_are_on_every_line",
    "2-4-4": "test_a_command_that_comes_while_the_device_is_busy_waits_for_its_turn",
    "2-6-2": "test_no_frame_is_longer_than_1440_bytes",
    "2-6-4": "test_no_frame_is_longer_than_1440_bytes",
    "2-11-1": "test_a_device_answers_at_its_address_only",
    "2-11-2": "test_a_device_answers_at_its_address_only",
    "2-13-2": "test_sequence_numbers_go_round",
    "2-13-3": "test_sequence_numbers_go_round",
    "060-24-02": "test_a_card_is_authenticated_after_it_was_read",
    "060-24-03": "test_a_card_is_authenticated_after_it_was_read",
    "060-25-02": "test_a_card_is_authenticated_after_it_was_read",
    "060-25-03": "test_a_card_is_authenticated_after_it_was_read",
    "070-02-02": "test_outputs_are_acknowledged",
    "4-7-3": "test_outputs_are_acknowledged",
    "070-04-02": "test_a_device_says_the_same_of_itself_each_time",
}
Payload = Message | tuple[Message, ...]
COMMANDS: dict[str, Payload] = {
    "060-09-01": (messages.Output(0, 1), messages.Output(1, 5, 30)),
    "060-10-01": (messages.Led(control=1, on=1),),
    **{f"060-10-{2 + color:02}": (messages.Led(control=1, on=1, on_color=color),) for color in Color},
    "060-11-01": (messages.Buzzer(count=3),),
    "060-12-01": messages.Text(text=b"Welcome"),
    "060-14-01": messages.BioRead(0, 1, 2, 3),
    "060-15-01": messages.BioMatch(0, 1, 2, 3, b"template"),
    "060-19-01": messages.Manufacturer(b"axc", bytes(1000)),
    "060-21-01": messages.KeepActive(5000),
    "060-23-01": messages.PivData(b"\x5f\xc1\x02", 1, b"\0\0"),
    "060-25-01": messages.CardAuthenticate(7, 0x9E, bytes(64)),
    "3-21-1": messages.Abort(),
    "060-27-01": messages.ExtendedWrite(1, 1, bytes.fromhex("00a4040007")),
}
POLLED: dict[str, Message] = {
    "060-02-02": messages.LocalStatusReport(1, 0),
    "3-1-4": messages.ReaderStatusReport(b"\1"),
    "4-6-2": messages.InputStatusReport(b"\0\1\0"),
    "4-7-2": messages.OutputStatusReport(b"\1\0"),
    "070-10-01": messages.Raw(0, 1, 26, bytes.fromhex("b623ae40")),
    "070-12-01": messages.Keypad(0, b"123"),
    "070-18-01": messages.ManufacturerReply(b"axc", bytes(1000)),
    "070-20-01": messages.PivDataResult(bytes(3000)),
    "070-21-01": messages.GeneralAuthenticateResult(bytes(256)),
    "070-22-01": messages.CardAuthenticateResult(bytes(256)),
    "070-24-01": messages.ManufacturerError(b"axcerror"),
    "4-10-1": messages.Formatted(0, 0, b"12345"),
    "4-13": messages.BioReadResult(0, 0, 1, 90, bytes(500)),
    "4-14": messages.BioMatchResult(0, 1, 200),
    "xrd": messages.ExtendedRead(1, 1, bytes.fromhex("9000")),
}
"""XRD has no row of its own in the list."""
QUERIES: dict[str, tuple[Message, Payload]] = {
    "060-03-01": (messages.Id(), messages.PdId(b"axc", 1, 2, 3, 4, 5, 6)),
    "060-04-01": (messages.Cap(), (messages.PdCap(9, 1, 1), messages.PdCap(10, 0xA0, 5))),
    "060-05-01": (messages.LocalStatus(), messages.LocalStatusReport(0, 1)),
    "060-06-01": (messages.InputStatus(), messages.InputStatusReport(b"\0\1\1")),
    "060-07-01": (messages.OutputStatus(), messages.OutputStatusReport(b"\1\0")),
    "060-08-01": (messages.ReaderStatus(), messages.ReaderStatusReport(b"\0")),
    "070-04-01": (messages.Id(), messages.PdId(b"xca", 9, 8, 7, 6, 5, 4)),
    "070-05-01": (messages.Cap(), (messages.PdCap(1, 1, 8), messages.PdCap(9, 1, 1))),
    "070-06-01": (messages.LocalStatus(), messages.LocalStatusReport(0, 0)),
    "070-06-02": (messages.LocalStatus(), messages.LocalStatusReport(1, 0)),
    "070-06-03": (messages.LocalStatus(), messages.LocalStatusReport(0, 1)),
    "070-07-01": (messages.InputStatus(), messages.InputStatusReport(bytes(16))),
    "070-08-01": (messages.OutputStatus(), messages.OutputStatusReport(bytes(16))),
    "070-09-01": (messages.ReaderStatus(), messages.ReaderStatusReport(b"\2\1")),
    "ext": (messages.Id(1), messages.ExtendedId.of({0: b"axcore", 6: bytes(900)})),
}
NAKS = {
    "070-03-01": (messages.Manufacturer(b"axc", b""), 3),
    "2-15-2": (messages.ExtendedWrite(0, 0), 3),
    "070-03-02": (messages.OutputStatus(), 3),
}


def line(key: bytes | None) -> MemoryLine:
    panel, pd = ControlPanel(baud=0), PeripheralDevice(0, key=key)
    pd.store(Reply.PDCAP, messages.PdCap(10, 0xA0, 5).pack())
    panel.open(0, key=key)
    made = MemoryLine(panel, [pd])
    assert made.run(1, lambda: panel.link(0) != LinkState.OFFLINE)
    made.panel_events.clear()
    return made


BOTH = pytest.mark.parametrize("key", [None, KEY], ids=["basic", "secure"])


@BOTH
@pytest.mark.parametrize("row", COMMANDS)
def test_a_command_arrives_as_it_was_sent_and_is_acknowledged(row: str, key: bytes | None) -> None:
    made = line(key)
    code, data = messages.pack(COMMANDS[row])
    made.devices[0].set_policy(code, Policy.ACCEPT)
    made.panel.command(0, code, data, 5)
    made.run(1)
    (event,) = [event for _, event in made.device_events if event.kind == EventKind.COMMAND]
    assert messages.unpack(False, event.code, event.data) == COMMANDS[row]
    assert [event.kind for event in made.panel_events if event.token == 5] == [EventKind.DONE]


@BOTH
@pytest.mark.parametrize("row", POLLED)
def test_a_reply_to_a_poll_arrives_as_it_was_posted(row: str, key: bytes | None) -> None:
    made = line(key)
    code, data = messages.pack(POLLED[row])
    made.devices[0].post(code, data)
    made.run(1)
    (event,) = [event for event in made.panel_events if event.kind == EventKind.REPLY]
    assert messages.unpack(True, event.code, event.data) == POLLED[row]
    assert event.link == (LinkState.SECURE if key else LinkState.CLEAR)


@BOTH
@pytest.mark.parametrize("row", QUERIES)
def test_a_query_is_answered_with_what_was_stored(row: str, key: bytes | None) -> None:
    made = line(key)
    question, answer = QUERIES[row]
    made.devices[0].store(*messages.pack(answer))
    made.panel.command(0, *messages.pack(question), 5)
    made.run(1)
    (event,) = [event for event in made.panel_events if event.token == 5]
    assert messages.unpack(True, event.code, event.data) == answer


@BOTH
@pytest.mark.parametrize("row", NAKS)
def test_what_is_not_implemented_is_refused_and_the_link_stays(row: str, key: bytes | None) -> None:
    made = line(key)
    message, reason = NAKS[row]
    made.panel.command(0, *messages.pack(message), 5)
    made.run(1)
    assert [(event.kind, event.b) for event in made.panel_events if event.token == 5] == [(EventKind.FAILED, reason)]
    assert [event for event in made.panel_events if event.kind == EventKind.LINK] == []


@BOTH
@pytest.mark.parametrize(
    ("row", "code", "data", "reason"),
    [
        ("nak-2", Command.LED, bytes(13), 2),
        ("nak-2", Command.TEXT, b"\0\1\0\1\1\x09short", 2),
        ("nak-3", 0x99, b"", 3),
        ("nak-9", Command.COMSET, b"\x7f\0\0\0\0", 9),
    ],
)
def test_each_reason_of_a_nak(row: str, code: int, data: bytes, reason: int, key: bytes | None) -> None:
    """NAK 1, 4, 5 and 6 are shown by the tests of faults and attacks; 7 and 8 are the application's (RefusalError)."""
    from axcore.osdp import Session, decode, decode_frame, encode

    pd = PeripheralDevice(0, key=key, nonces=b"ABCDEFGH")
    if key is None:
        (nak,), _ = decode(pd.step(encode(code, data), 1))
        assert (nak.code, nak.data) == (Reply.NAK, bytes([reason]))
        return
    session = Session(key, b"abcdefgh")
    pd.step(encode(Command.CHLNG, b"abcdefgh", scb_type=0x11, scb_data=1), 1)
    server = session.server_cryptogram(b"ABCDEFGH")
    session.start(server)
    pd.step(encode(Command.SCRYPT, server, sequence=1, scb_type=0x13, scb_data=1), 2)
    nak = decode_frame(pd.step(session.seal(code, data, sequence=2), 3))
    assert (nak.code, session.open(nak)) == (Reply.NAK, bytes([reason]))


def test_polls_acurxsize_and_ack_are_on_every_line() -> None:
    """060-02-01, 060-20-01, 070-02-01."""
    made = line(None)
    made.run(0.1)
    codes = [data[6] for _, data in made.sent]
    assert codes[:4] == [Command.ID, Command.CAP, Command.ACURXSIZE, Command.POLL]
    assert made.received[-1][2][5] == Reply.ACK


@BOTH
def test_a_command_that_comes_while_the_device_is_busy_waits_for_its_turn(key: bytes | None) -> None:
    made = line(key)
    made.devices[0].set_policy(Command.MFG, Policy.ASK)
    made.panel.command(0, Command.MFG, b"axcwhat", 8)
    made.run(0.3)
    made.panel.command(0, *messages.pack((messages.Buzzer(),)), 9)
    made.run(0.3)
    assert [event for event in made.panel_events if event.token in (8, 9)] == []
    made.devices[0].answer(Reply.MFGREP, b"axcthat")
    made.run(0.5)
    done = [(event.token, event.kind) for event in made.panel_events if event.token in (8, 9)]
    assert done == [(8, EventKind.REPLY), (9, EventKind.DONE)]


@BOTH
def test_no_frame_is_longer_than_1440_bytes(key: bytes | None) -> None:
    made = line(key)
    made.devices[0].set_policy(Command.GENAUTH, Policy.ACCEPT)
    made.panel.command(0, *messages.pack(messages.GeneralAuthenticate(7, 0x9E, bytes(1900))), 5)
    made.devices[0].post(*messages.pack(messages.PivDataResult(bytes(3000))))
    made.run(3)
    sent, received = [data for _, data in made.sent], [data for _, _, data in made.received]
    assert 256 < max(map(len, sent)) <= 1441, "a mark, and a frame"
    assert 256 < max(map(len, received)) <= 1441
    assert [len(event.data) for event in made.panel_events if event.code == Reply.PIVDATAR] == [3000]


def test_a_device_answers_at_its_address_only() -> None:
    from axcore.osdp import decode, encode

    pd = PeripheralDevice(0x7E)
    for address in range(0x7E):
        assert pd.step(encode(Command.POLL, address=address), address + 1) == b""
    (reply,), _ = decode(pd.step(encode(Command.POLL, address=0x7E), 1000))
    assert (reply.address, reply.code) == (0x7E, Reply.ACK)


@BOTH
def test_sequence_numbers_go_round(key: bytes | None) -> None:
    from axcore.osdp import decode

    made = line(key)
    made.run(0.5)
    numbers = [frame.sequence for _, data in made.sent for frame in decode(data)[0]]
    assert numbers[0] == 0
    assert 0 not in numbers[2:], "only at the start, and when a channel is asked for"
    assert all(after == before % 3 + 1 for before, after in pairwise(numbers[2:]))
    answers = [frame.sequence for _, _, data in made.received for frame in decode(data)[0]]
    assert answers == numbers[: len(answers)]


@BOTH
@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (messages.GeneralAuthenticate(7, 0x9E, bytes(300)), messages.GeneralAuthenticateResult(bytes(256))),
        (messages.CardAuthenticate(7, 0x9E, bytes(300)), messages.CardAuthenticateResult(bytes(256))),
    ],
)
def test_a_card_is_authenticated_after_it_was_read(command: Message, answer: Message, key: bytes | None) -> None:
    made = line(key)
    code, data = messages.pack(command)
    made.devices[0].set_policy(code, Policy.ACCEPT)
    made.devices[0].post(*messages.pack(messages.Raw(0, 1, 26, bytes.fromhex("b623ae40"))))
    made.run(0.5)
    made.panel.command(0, code, data, 5)
    made.run(1)
    (event,) = [event for _, event in made.device_events if event.kind == EventKind.COMMAND]
    assert messages.unpack(False, event.code, event.data) == command
    made.devices[0].post(*messages.pack(answer))
    made.run(1)
    told = [
        messages.unpack(True, event.code, event.data) for event in made.panel_events if event.kind == EventKind.REPLY
    ]
    assert told == [messages.Raw(0, 1, 26, bytes.fromhex("b623ae40")), answer]


@BOTH
def test_outputs_are_acknowledged(key: bytes | None) -> None:
    made = line(key)
    made.devices[0].set_policy(Command.OUT, Policy.ACCEPT)
    for number in range(8):
        made.panel.command(0, *messages.pack(messages.Output(number, 5, 10)), number + 1)
    made.run(2)
    assert [event.token for event in made.panel_events if event.kind == EventKind.DONE] == list(range(1, 9))


@BOTH
def test_a_device_says_the_same_of_itself_each_time(key: bytes | None) -> None:
    made = line(key)
    made.devices[0].store(*messages.pack(messages.PdId(b"axc", 1, 2, 3, 4, 5, 6)))
    for token in (1, 2, 3):
        made.panel.command(0, *messages.pack(messages.Id()), token)
    made.run(1)
    said = [event.data for event in made.panel_events if event.token in (1, 2, 3)]
    assert len(said) == 3
    assert len(set(said)) == 1


@pytest.mark.parametrize("row", ELSEWHERE)
def test_rows_shown_elsewhere_name_tests_that_exist(row: str) -> None:
    file, name = ELSEWHERE[row]
    assert f" {name}(" in (TESTS / file).read_text()


def test_no_row_is_in_two_places() -> None:
    assert all(name in globals() for name in HERE.values())
    rows = [*HARDWARE, *ELSEWHERE, *HERE, *GONE, *COMMANDS, *POLLED, *QUERIES, *NAKS]
    assert len(rows) == len(set(rows))
    assert len(rows) > 110
