"""Requests and responses that the server sends over connections of its own."""

import asyncio
import socket

from support.sip_peers import Application, StreamPeer, message, until

from srs.sip.events import RequestReceived, ResponseReceived, TransportFailed
from srs.sip.flow import Flow
from srs.sip.message import make_request, parse, response
from srs.sip.transport import SipServer


def ours(to, transport):
    request = make_request(
        "OPTIONS",
        f"sip:{to[0]}:{to[1]};transport={transport}",
        [("From", "<sip:us@x>"), ("To", "<sip:them@x>"), ("Call-ID", "ours"), ("CSeq", "1 OPTIONS")],
    )
    return request, Flow(transport, ("127.0.0.1", 5060), to)


def test_two_servers_talk_over_a_connection_that_one_opens(run):
    async def script():
        server, client = Application(), Application()
        address = await server.server.listen("tcp://127.0.0.1:0")
        for _ in range(2):
            request, flow = ours(address.address, "TCP")
            client.server.endpoint.request(request, flow, asyncio.get_running_loop().time())
            client.server.flush()
        await until(lambda: len(client.happened(ResponseReceived)) == 2)
        assert len({event.flow for event in server.happened(RequestReceived)}) == 1
        await client.server.close()
        await until(lambda: not server.server.endpoint._connections)
        await server.server.close()

    run(script())


def test_a_connection_that_cannot_be_opened_fails_the_request(run):
    async def script():
        with socket.create_server(("127.0.0.1", 0)) as unused:
            nobody = unused.getsockname()
        application = Application()
        request, flow = ours(nobody, "TCP")
        transaction = application.server.endpoint.request(request, flow, asyncio.get_running_loop().time())
        application.server.flush()
        await until(lambda: application.happened(TransportFailed))
        assert application.happened(TransportFailed)[0].transaction is transaction
        await application.server.close()

    run(script())


def test_a_connection_that_breaks_fails_the_request(run):
    async def script():
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        application = Application()
        request, flow = ours(server.sockets[0].getsockname(), "TCP")
        application.server.endpoint.request(request, flow, asyncio.get_running_loop().time())
        application.server.flush()
        await until(lambda: application.happened(TransportFailed))
        await application.server.close()
        server.close()

    run(script())


def test_response_over_a_new_connection_when_the_first_is_gone(run):
    async def script():
        arrived = asyncio.Queue()

        async def take(reader, writer):
            arrived.put_nowait(parse(await reader.readuntil(b"\r\n\r\n")))
            writer.close()

        listener = await asyncio.start_server(take, "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        application = Application()
        application.on_event = application.events.append
        server = SipServer(application.server.endpoint, application.events.append)
        address = await server.listen("tcp://127.0.0.1:0")
        peer = await StreamPeer.connect(*address.address)
        peer.send(message("OPTIONS", 1, transport="TCP", port=port))
        await until(lambda: application.events)
        await peer.close()
        await until(lambda: not server._streams._connections)
        (event,) = application.events
        server.endpoint.respond(event.transaction, response(event.request, 200), asyncio.get_running_loop().time())
        server.flush()
        async with asyncio.timeout(5):
            assert (await arrived.get()).code == 200
        await server.close()
        listener.close()

    run(script())
