"""Real sockets on loopback, with a plain socket as the peer."""

import asyncio
import socket

import pytest
from support.sip_peers import Application, DatagramPeer, StreamPeer, message

from srs.sip.address import ListenError
from srs.sip.events import RequestReceived
from srs.sip.flow import Flow
from srs.sip.transaction import Timers

HOSTS = ["127.0.0.1", "::1"]


@pytest.mark.parametrize("host", HOSTS)
def test_call_over_udp(run, host):
    async def script():
        application = Application()
        address = await application.server.listen(f"udp://[{host}]:0" if ":" in host else f"udp://{host}:0")
        with DatagramPeer(host) as peer:
            body = b"x" * 60000
            peer.socket.sendto(message("INVITE", 1, port=peer.port, body=body, host=host), address.address)
            ok = await peer.receive()
            assert (ok.code, ok.cseq.method) == (200, "INVITE")
            tag = ok.to_address.tag
            peer.socket.sendto(message("ACK", 1, port=peer.port, to_tag=tag, host=host), address.address)
            peer.socket.sendto(message("BYE", 2, port=peer.port, to_tag=tag, host=host), address.address)
            assert (await peer.receive()).cseq.method == "BYE"
        invite, bye = application.happened(RequestReceived)
        assert invite.request.body == body
        assert invite.flow == Flow("UDP", address.address, (host, peer.port))
        assert bye.dialog is not None
        assert [send.message.code for send in application.sends] == [200, 200]
        await application.server.close()

    run(script())


@pytest.mark.parametrize("host", HOSTS)
def test_many_dialogs_on_one_connection(run, host):
    async def script():
        application = Application()
        address = await application.server.listen(f"tcp://[{host}]:0" if ":" in host else f"tcp://{host}:0")
        peer = await StreamPeer.connect(*address.address)
        peer.send(
            b"".join(
                message("INVITE", 1, transport="TCP", call=f"c{i}", body=b"\r\n\r\n", host=host) for i in range(50)
            )
        )
        assert [(await peer.receive()).code for _ in range(50)] == [200] * 50
        assert len({event.flow.connection for event in application.happened(RequestReceived)}) == 1
        peer.send(b"\r\n\r\n")
        assert await peer.reader.readexactly(2) == b"\r\n"
        await peer.close()
        await application.server.close()

    run(script())


def test_wildcard_tells_the_address_that_was_reached(run):
    async def script():
        application = Application()
        address = await application.server.listen("udp://0.0.0.0:0")
        with DatagramPeer("127.0.0.1") as peer:
            peer.socket.sendto(message("OPTIONS", 1, port=peer.port), ("127.0.0.1", address.port))
            await peer.receive()
        assert application.events[0].flow.local == ("127.0.0.1", address.port)
        await application.server.close()

    run(script())


def test_a_broken_stream_is_answered_and_closed_and_no_other_is(run):
    async def script():
        application = Application()
        address = await application.server.listen("tcp://127.0.0.1:0")
        good = await StreamPeer.connect(*address.address)
        bad = await StreamPeer.connect(*address.address)
        bad.send(message("OPTIONS", 1, transport="TCP").replace(b"Content-Length: 0", b"X: y"))
        assert (await bad.receive()).code == 400
        assert await bad.reader.read() == b""
        await bad.close()
        good.send(message("OPTIONS", 2, transport="TCP"))
        assert (await good.receive()).code == 200
        await good.close()
        await application.server.close()

    run(script())


def test_garbage_on_a_stream_is_closed_without_a_word(run):
    async def script():
        application = Application()
        address = await application.server.listen("tcp://127.0.0.1:0")
        bad = await StreamPeer.connect(*address.address)
        bad.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await bad.reader.read() == b""
        await bad.close()
        await application.server.close()

    run(script())


def test_timers_run(run):
    async def script():
        application = Application(Timers(t1=0.02, t2=0.04))
        address = await application.server.listen("udp://127.0.0.1:0")
        with DatagramPeer("127.0.0.1") as peer:
            peer.socket.sendto(message("OPTIONS", 1, port=peer.port, call="slow timer first"), address.address)
            await peer.receive()
            peer.socket.sendto(message("INVITE", 1, port=peer.port), address.address)
            async with asyncio.timeout(1):
                codes = [(await peer.receive()).code for _ in range(5)]
        assert codes == [200] * 5
        await application.server.close()

    run(script())


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_an_exception_of_the_application_costs_no_other_message(run, transport):
    async def script():
        application = Application()
        address = await application.server.listen(f"{transport}://127.0.0.1:0")
        requests = [
            message("OPTIONS", 1, transport="TCP", call="bad", subject="fail"),
            message("OPTIONS", 1, transport="TCP", call="good"),
        ]
        if transport == "tcp":
            peer = await StreamPeer.connect(*address.address)
            peer.send(b"".join(requests))
            assert (await peer.receive()).call_id == "good"
            await peer.close()
        else:
            with DatagramPeer("127.0.0.1") as peer:
                for data in requests:
                    peer.socket.sendto(data.replace(b":5060", b":%d" % peer.port), address.address)
                assert (await peer.receive()).call_id == "good"
        await application.server.close()
        assert [str(failure) for failure in run.failures] == ["application failed"]
        run.failures.clear()

    run(script())


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_re_invites_that_come_at_once_are_answered_in_turn(run, transport):
    """Clients send the second a moment after the first, and take a 500 for a refusal (SRS-32, OpenSIPS)."""

    async def finals(peer, count):
        found = []
        while len(found) < count:
            answer = await peer.receive()
            found += [answer] if answer.code >= 200 else []
        return found

    async def script():
        application = Application()
        address = await application.server.listen(f"{transport}://127.0.0.1:0")
        tcp = await StreamPeer.connect(*address.address) if transport == "tcp" else None
        with DatagramPeer("127.0.0.1") as udp:
            peer = tcp or udp

            def send(*requests):
                made = [message(*each, transport=transport.upper(), port=peer.port, to_tag=tag) for each in requests]
                if tcp:
                    tcp.send(b"".join(made))
                for data in () if tcp else made:
                    udp.socket.sendto(data, address.address)

            tag = ""
            send(("INVITE", 1))
            (ok,) = await finals(peer, 1)
            tag = ok.to_address.tag
            send(("ACK", 1), ("INVITE", 2), ("INVITE", 3))
            answers = await finals(peer, 2)
            assert [(each.code, each.cseq.sequence) for each in answers] == [(200, 2), (200, 3)]
        if tcp:
            await tcp.close()
        await application.server.close()

    run(script())


def test_sockets_that_another_process_bound(run):
    async def script():
        application = Application()
        bound = socket.create_server(("127.0.0.1", 0))
        address = await application.server.serve(bound)
        assert address.transport == "TCP"
        peer = await StreamPeer.connect(*address.address)
        peer.send(message("OPTIONS", 1, transport="TCP"))
        assert (await peer.receive()).code == 200
        await peer.close()
        await application.server.close()

    run(script())


def test_addresses_that_cannot_be_had(run):
    async def script():
        application = Application()
        with pytest.raises(ListenError):
            await application.server.listen("tls://127.0.0.1:0")
        with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
            await application.server.listen(f"tcp://127.0.0.1:{taken.getsockname()[1]}")
        await application.server.close()

    run(script())


def test_a_timer_that_is_due_at_once_is_armed_again(run):
    """uvloop gives a handle without `when` for a moment that is now or past."""

    async def scenario():
        application = Application()
        server, fired = application.server, []
        server.endpoint.next_timer = lambda: asyncio.get_running_loop().time() - 1.0
        server.endpoint.handle_timers = fired.append
        server._arm()
        server._arm()
        await asyncio.sleep(0.05)
        assert fired
        server.endpoint.next_timer = lambda: None
        await server.close()

    run(scenario())
