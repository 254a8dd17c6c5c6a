"""The RTSP server over real sockets, with a ledger in memory and virtual time."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio

from axcore.interfaces.rtsp.message import frame
from axcore.interfaces.rtsp.server import RtspLimits, RtspOptions, RtspServer
from axcore.model.accounts import Role
from axcore.model.events import ENTRY_GRANTED, IO_PORT, NewEvent
from axcore.testing.http import HttpDevice
from axcore.testing.rtsp import RtspClient, items

SMALL = RtspLimits(connections=4, sessions=2)


class Device(HttpDevice):
    """With an RTSP server and two accounts."""

    rtsp: RtspServer

    def port(self, number: int, state: str = "1") -> None:
        event = NewEvent(topic=IO_PORT, source={"port": str(number)}, data={"state": state}, is_property=True)
        self.ledger.do(lambda tx: tx.publish(event))

    def client(self, user: str = "root", password: str = "pass", *, udp: bool = False) -> RtspClient:
        return RtspClient(self.rtsp.url, user, password, udp=udp)

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.rtsp.tick()


@pytest_asyncio.fixture
async def device(tmp_path: Path) -> AsyncIterator[Device]:
    async with Device(tmp_path) as device:
        device.add_account("root", "pass")
        device.add_account("view", "pass", Role.VIEWER)
        device.rtsp = RtspServer(device.ctx, RtspOptions(ports=(0,), limits=SMALL))
        await device.rtsp.start()
        yield device
        await device.rtsp.stop()


async def ended(client: RtspClient) -> bytes:
    """What comes until the other end closes or resets."""
    try:
        return await client.reader.read()
    except ConnectionError:
        return b""


async def settled(probe: Any) -> None:
    """Let the loop turn until ``probe`` is true."""
    while not probe():  # noqa: ASYNC110
        await asyncio.sleep(0)


async def test_initial_states_and_changes_in_the_connection(device: Device) -> None:
    device.port(0)
    device.port(1, "0")
    async with device.client() as client:
        played = await client.play()
        assert played.headers["rtp-info"].startswith(f"url={client.track};seq=")
        first, second = items(await client.packet()), items(await client.packet())
        assert [(e["operation"], e["source"], e["data"]) for e in (first, second)] == [
            ("Initialized", {"port": "0"}, {"state": "1"}),
            ("Initialized", {"port": "1"}, {"state": "0"}),
        ]
        device.port(0, "0")
        assert items(await client.packet())["operation"] == "Changed"


async def test_initial_states_and_changes_over_udp(device: Device) -> None:
    device.port(0)
    async with device.client(udp=True) as client:
        await client.play("video=0&audio=0&event=on")
        channel, packet = await client.raw()
        assert channel == 0
        assert packet[0] == 0x80  # no extension, no contributing sources: the header has twelve octets
        assert items(packet[12:])["operation"] == "Initialized"
        device.port(0, "0")
        assert items(await client.packet())["data"] == {"state": "0"}
        device.pass_time(6)
        channel, report = await client.raw()
        assert (channel, report[1]) == (1, 200)
        assert (await client.request("TEARDOWN", client.target(), Session=client.session)).status == 200
        channel, bye = await client.raw()
        assert (channel, bye[-7]) == (1, 203)
        assert not device.rtsp.sessions


async def test_pause_and_play_bring_the_states_again(device: Device) -> None:
    device.port(0)
    async with device.client() as client:
        await client.play()
        await client.packet()
        assert (await client.request("PAUSE", client.target(), Session=client.session)).status == 200
        device.port(0, "0")
        device.port(0, "1")
        assert (await client.request("PLAY", client.target(), Session=client.session)).status == 200
        assert items(await client.packet())["operation"] == "Initialized"
        assert (await client.request("PLAY", client.target(), Session=client.session)).status == 200
        assert client.frames.empty()


async def test_a_viewer_is_not_told_of_people(device: Device) -> None:
    async with device.client("view") as viewer, device.client() as admin:
        for client in (viewer, admin):
            await client.play()
        device.ledger.do(lambda tx: tx.publish(NewEvent(topic=ENTRY_GRANTED, data={"name": "Ada"})))
        device.port(0)
        assert items(await viewer.packet())["topic"] == IO_PORT
        granted = items(await admin.packet())
        assert (granted["topic"], granted["operation"]) == (ENTRY_GRANTED, "")


async def test_filters_of_the_address(device: Device) -> None:
    device.port(0)
    device.port(1)
    async with device.client() as client:
        await client.play("event=on&eventcontent=boolean(//SimpleItem[@Name=%22port%22%20and%20@Value=%221%22])")
        assert items(await client.packet())["source"] == {"port": "1"}
        device.port(0, "0")
        device.port(1, "0")
        assert items(await client.packet())["source"] == {"port": "1"}


async def test_the_challenge_has_the_form_that_clients_cut_up(device: Device) -> None:
    async with device.client() as client:
        reply = await client.request("DESCRIBE", client.target(), login=False)
        assert reply.status == 401
        challenge = reply.headers["www-authenticate"]
        realm, nonce = challenge.split('"')[1], challenge.split('"')[3]
        assert challenge == f'Digest realm="{realm}", nonce="{nonce}", stale=FALSE'
        assert realm == device.accounts.realm


async def test_what_the_policy_allows(device: Device) -> None:
    async with device.client() as client:
        for policy, schemes in (("Basic", ["Basic"]), ("Basic_Digest", ["Basic", "Digest"]), ("Digest", ["Digest"])):
            device.ledger.do(lambda tx, p=policy: device.params.update(tx, {"Network.HTTP.AuthenticationPolicy": p}))
            reply = await client.request("DESCRIBE", client.target(), login=False)
            lines = reply.headers["www-authenticate"].split("\n")
            assert [line.partition(" ")[0] for line in lines] == schemes
            reply = await client.request("DESCRIBE", client.target(), login=False, Authorization="Basic cm9vdDpwYXNz")
            assert reply.status == (200 if "Basic" in schemes else 401)


async def test_wrong_logins_count_together_with_those_of_http(device: Device) -> None:
    async with device.client("root", "wrong") as client:
        for _ in range(5):
            assert (await client.request("DESCRIBE", client.target())).status == 401
        for _ in range(5):
            await device.request("GET", "/axis-cgi/usergroup.cgi", user="root", password="wrong")
        reply = await client.request("DESCRIBE", client.target())
        assert reply.status == 503
        assert int(reply.headers["retry-after"]) > 0
        assert (await device.request("GET", "/axis-cgi/usergroup.cgi", user="root")).status == 429


async def test_a_login_of_another_connection_is_stale(device: Device) -> None:
    async with device.client() as one, device.client() as two:
        await one.request("DESCRIBE", one.target())
        taken = one.authorization("DESCRIBE", one.target())
        reply = await two.request("DESCRIBE", two.target(), login=False, Authorization=taken)
        assert reply.status == 401
        assert reply.headers["www-authenticate"].endswith("stale=TRUE")


async def test_a_login_for_another_address_is_refused(device: Device) -> None:
    async with device.client() as client:
        await client.request("DESCRIBE", client.target())
        other = client.authorization("DESCRIBE", client.url + "/other")
        reply = await client.request("DESCRIBE", client.target(), login=False, Authorization=other)
        assert reply.status == 400
        for text in ("Digest", 'Digest username="root"', "Digest x", "Bearer x", 'Digest username="nobody", realm="x"'):
            reply = await client.request("DESCRIBE", client.target(), login=False, Authorization=text)
            assert reply.status in (400, 401)


async def test_options_needs_no_login_and_keeps_the_session(device: Device) -> None:
    async with device.client() as client:
        assert "GET_PARAMETER" in (await client.request("OPTIONS", "*", login=False)).headers["public"]
        await client.play()
        for _ in range(3):
            device.pass_time(50)
            reply = await client.request("OPTIONS", client.target(), login=False, Session=client.session)
            assert (reply.status, reply.headers["session"]) == (200, f"{client.session};timeout=60")
        for method in ("GET_PARAMETER", "SET_PARAMETER"):
            device.pass_time(50)
            assert (await client.request(method, client.target(), Session=client.session)).status == 200
        device.pass_time(66)
        await ended(client)
        await settled(lambda: not device.rtsp.connections)
        assert not device.rtsp.sessions
        assert device.rtsp.ended["silent"] == 1


async def test_receiver_reports_are_signs_of_life(device: Device) -> None:
    report = b"\x80\xc9\x00\x01abcd"
    async with device.client(udp=True) as client:
        await client.play()
        session = device.rtsp.sessions[client.session]
        device.clock.advance(50)
        spoofed = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        spoofed.sendto(report, ("127.0.0.1", device.rtsp.udp_ports[1]))
        spoofed.close()
        client.sockets[0].sendto(report, ("127.0.0.1", device.rtsp.udp_ports[1]))
        client.sockets[1].sendto(b"no report", ("127.0.0.1", device.rtsp.udp_ports[1]))
        reached: list[tuple[bytes, Any]] = []
        heard, device.rtsp.heard = device.rtsp.heard, lambda d, a: (reached.append((d, a)), heard(d, a))  # type: ignore[method-assign,assignment]
        await settled(lambda: len(reached) == 3)
        assert session.alive_ns < device.clock.mono_ns()
        client.sockets[1].sendto(report, ("127.0.0.1", device.rtsp.udp_ports[1]))
        await settled(lambda: session.alive_ns == device.clock.mono_ns())
    async with device.client() as client:
        await client.play()
        session = device.rtsp.sessions[client.session]
        device.clock.advance(50)
        await client.send(frame(1, report))
        await settled(lambda: session.alive_ns == device.clock.mono_ns())


async def test_refusals(device: Device) -> None:
    async with device.client() as client:
        url, target = client.url, client.target()
        transport = client.transport
        for status, method, uri, headers in (
            (404, "DESCRIBE", url + "/other", {}),
            (404, "DESCRIBE", url + "/axis-media/media.amp?videocodec=h264", {}),
            (400, "DESCRIBE", target + "&eventtopic=a%20b", {}),
            (400, "DESCRIBE", "*", {}),
            (406, "DESCRIBE", target, {"Accept": "text/html"}),
            (551, "DESCRIBE", target, {"Require": "www.onvif.org/ver20/backchannel"}),
            (551, "OPTIONS", target, {"Proxy_Require": "x"}),
            (405, "ANNOUNCE", target, {}),
            (501, "BREW", target, {}),
            (461, "SETUP", target, {}),
            (461, "SETUP", target, {"Transport": "RTP/AVP;multicast"}),
            (461, "SETUP", target, {"Transport": "RTP/AVP;unicast;client_port=5000-5001;destination=192.0.2.1"}),
            (404, "SETUP", url + "/other", {"Transport": transport}),
            (454, "SETUP", target, {"Transport": transport, "Session": "1"}),
            (454, "PLAY", target, {}),
            (454, "PLAY", target, {"Session": "1"}),
            (454, "OPTIONS", target, {"Session": "1"}),
            (454, "TEARDOWN", target, {"Session": "1"}),
        ):
            reply = await client.request(method, uri, **headers)
            assert reply.status == status, (method, uri, headers)
        required = await client.request("DESCRIBE", target, Require="a, b")
        assert required.headers["unsupported"] == "a, b"
        assert "PLAY" in (await client.request("RECORD", target)).headers["allow"]
        await client.play()
        session = {"Session": client.session}
        for status, method, uri, headers in (
            (455, "SETUP", target, {"Transport": transport}),
            (455, "SETUP", target, {"Transport": transport, **session}),
            (457, "PLAY", target, {"Range": "smpte=0-", **session}),
            (404, "PLAY", url + "/other", session),
        ):
            reply = await client.request(method, uri, **headers)
            assert reply.status == status, (method, uri, headers)
        await client.request("PAUSE", target, **session)
        again = await client.request("SETUP", client.track, Transport="RTP/AVP/TCP;interleaved=4-5", **session)
        assert again.headers["transport"].startswith("RTP/AVP/TCP;unicast;interleaved=4-5;ssrc=")


async def test_there_are_no_parameters(device: Device) -> None:
    async with device.client() as client:
        await client.request("DESCRIBE", client.target())
        login = client.authorization("GET_PARAMETER", client.target())
        head = f"GET_PARAMETER {client.target()} RTSP/1.0\r\nCSeq: 9\r\nAuthorization: {login}\r\n"
        await client.send((head + "Content-Length: 8\r\n\r\nposition").encode())
        assert (await client.reply()).status == 451


async def test_a_session_of_another_connection_is_unknown(device: Device) -> None:
    async with device.client() as one, device.client() as two:
        await one.play()
        for method in ("PLAY", "PAUSE", "TEARDOWN", "OPTIONS", "GET_PARAMETER"):
            assert (await two.request(method, one.target(), Session=one.session)).status == 454
        assert one.session in device.rtsp.sessions


async def test_a_session_ends_with_its_connection(device: Device) -> None:
    async with device.client(udp=True) as client:
        await client.play()
        device.port(0)
        await client.packet()
        client.writer.transport.abort()
        channel, data = await client.raw()
        assert (channel, data[-7]) == (1, 203)
    assert not device.rtsp.sessions


async def test_a_changed_account_ends_its_session(device: Device) -> None:
    async with device.client("view") as client:
        await client.play()
        device.ledger.do(lambda tx: device.accounts.remove(tx, "view"))
        device.port(0)
        device.pass_time(1)
        assert b"<?xml" not in await ended(client)
        assert device.rtsp.ended["account"] == 1
    async with device.client("view") as client:
        assert (await client.request("DESCRIBE", client.target())).status == 401


async def test_the_number_of_sessions_is_limited(device: Device) -> None:
    async with device.client() as one, device.client() as two, device.client() as three:
        await one.play()
        await two.play()
        await three.request("DESCRIBE", three.target())
        reply = await three.request("SETUP", three.target(), Transport=three.transport)
        assert reply.status == 453
        await one.request("TEARDOWN", one.target(), Session=one.session)
        assert (await three.request("SETUP", three.target(), Transport=three.transport)).status == 200


async def test_idle_connections_make_room_and_players_stay(device: Device) -> None:
    async with device.client() as player:
        await player.play()
        idle = [await asyncio.open_connection(player.host, player.port) for _ in range(8)]
        async with device.client() as last:
            assert (await last.request("OPTIONS", "*")).status == 200
            assert len(device.rtsp.connections) == SMALL.connections
            assert device.rtsp.ended["crowded"] >= 5
            assert (await player.request("OPTIONS", "*", login=False)).status == 200
        for _, writer in idle:
            writer.close()


async def test_who_sends_nothing_or_half_a_request_is_dropped(device: Device) -> None:
    async with device.client() as silent, device.client() as slow:
        await slow.send(b"OPTIONS * RTSP/1.0\r\nCSe")
        await settled(lambda: any(c._begun_ns is not None for c in device.rtsp.connections))
        for octet in b"q: 1\r\nX: ":
            device.pass_time(1)
            await slow.send(bytes([octet]))
        device.pass_time(2)
        assert await ended(slow) == b""
        assert device.rtsp.ended["late"] == 1
        device.pass_time(60)
        assert await ended(silent) == b""
        await settled(lambda: device.rtsp.ended["idle"] == 1)


async def test_a_player_that_does_not_read_costs_a_bounded_amount(device: Device) -> None:
    async with device.client() as deaf, device.client() as other:
        deaf.writer.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        await deaf.play()
        await other.play()
        (connection,) = [c for c in device.rtsp.connections if c.session and c.session.id == deaf.session]
        sent = 0
        while connection.blocked_ns is None:
            device.port(0, str(sent))
            sent += 1
            assert items(await other.packet())["data"] == {"state": str(sent - 1)}
        for _ in range(50):
            for _ in range(100):
                device.port(0, str(sent))
                sent += 1
            for number in range(100):
                assert items(await other.packet())["data"] == {"state": str(sent - 100 + number)}
        session = connection.session
        assert session is not None
        assert session._follower is not None
        assert session._follower.dropped >= 5000 - 1000 - 1  # one is being sent
        assert len(session._follower.subscription._events) <= 1000
        assert connection._transport is not None
        assert connection._transport.get_write_buffer_size() < 256 * 1024
        device.pass_time(21)
        await settled(lambda: device.rtsp.ended["slow"] == 1)
        device.port(0, "end")
        assert items(await other.packet())["data"] == {"state": "end"}


async def test_requests_in_a_row_are_answered_in_order(device: Device) -> None:
    async with device.client() as client:
        await client.send(b"".join(b"OPTIONS * RTSP/1.0\r\nCSeq: %d\r\n\r\n" % n for n in range(3000)))
        for number in range(3000):
            assert (await client.reply()).headers["cseq"] == str(number)


async def test_broken_framing_is_answered_and_ends(device: Device) -> None:
    for data, status in (
        (b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n" + b"X: 1\r\n" * 10_000 + b"\r\n", b" 400 "),
        (b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 999999999\r\n\r\n", b" 413 "),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b" 400 "),
        (b"$\x00\x00\x04abcd", b" 400 "),
        (b"\x16\x03\x01" * 3000, b" 414 "),
    ):
        async with device.client() as client:
            await client.send(data)
            reply = await ended(client)
            assert reply[:40].partition(b"RTSP/1.0")[2].startswith(status) or not reply
    assert device.rtsp.ended["protocol"] == 5


async def test_the_end_of_the_server_says_goodbye(device: Device) -> None:
    async with device.client() as client:
        device.port(0)
        await client.play()
        await client.packet()
        stopping = asyncio.create_task(device.rtsp.stop())
        rest = await ended(client)
        assert rest[-7] == 203
        await stopping
        assert device.rtsp.ended["stop"] == 1
