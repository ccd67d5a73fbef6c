"""Connections whose octets stay in the kernel until they were acted on, with a plain socket as the client."""

import asyncio
import contextlib
import socket
from collections import Counter

import pytest
import uvloop

from srs.sip.held import LARGEST_HELD, READ_SIZE, HeldConnection

PATIENCE_S = 30.0


def message(number, body=b""):
    return b"OPTIONS sip:srs@x SIP/2.0\r\nCSeq: %d OPTIONS\r\nContent-Length: %d\r\n\r\n" % (number, len(body)) + body


class Wire:
    """A client, the end that the holder has, and duplicates of it for processes that come and go."""

    def __init__(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.client = socket.create_connection(listener.getsockname())
            self.held, _ = listener.accept()
        self.held.setblocking(False)

    def waiting(self):
        """What lies in the kernel."""
        with contextlib.suppress(BlockingIOError):
            return self.held.recv(1 << 22, socket.MSG_PEEK)
        return b""

    def close(self):
        self.client.close()
        self.held.close()


class Process:
    """What a process makes of the connection; `on_message` is called as the SIP server would act."""

    def __init__(self, wire, on_message=lambda data: None):
        self.messages, self.errors, self.ends, self.counts = [], [], [], Counter()
        self._on_message = on_message
        self.connection = HeldConnection(wire.held.dup(), 7, self, self.counts, self.ends.append)

    def received(self, data, flow):
        assert flow == self.connection.flow
        self.messages.append(data)
        asyncio.get_running_loop().call_soon(self._on_message, data)

    def refused(self, error, data, flow):
        self.errors.append((error, data))
        self.connection.write(b"refused")

    def lost(self, flow):
        assert self.ends == [7]


async def until(condition):
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - what is waited for is told by no event
            await asyncio.sleep(0.005)


@pytest.fixture
def wire():
    made = Wire()
    yield made
    made.close()


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request):
    def runner(coroutine):
        with asyncio.Runner(loop_factory=request.param) as loops:
            return loops.run(coroutine)

    return runner


def test_a_message_is_in_the_kernel_until_it_was_acted_on(run, wire):
    seen = []

    async def script():
        process = Process(wire, lambda data: seen.append((data, wire.waiting())))
        wire.client.sendall(message(1) + message(2) + message(3)[:20])
        await until(lambda: len(seen) == 2 and wire.waiting() == message(3)[:20])
        wire.client.sendall(message(3)[20:])
        await until(lambda: len(seen) == 3 and not wire.waiting())
        process.connection.abort()

    run(script())
    assert [data for data, _ in seen] == [message(1), message(2), message(3)]
    assert seen[0][1] == seen[1][1] == message(1) + message(2) + message(3)[:20]
    assert seen[2][1] == message(3)


def test_answers_do_not_wait_for_each_other_on_the_wire(run, wire):
    """Without Nagle's algorithm: a 200 does not wait until the client has acknowledged another call's."""

    async def script():
        connection = Process(wire).connection
        told = wire.held.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        connection.abort()
        return told

    assert run(script())


def test_a_successor_gets_what_was_not_acted_on(run, wire):
    """The first process ends over its message; half of another has come."""

    async def first():
        process = Process(wire, lambda data: process.connection.abort())
        wire.client.sendall(message(1) + message(2)[:30])
        await until(process.connection.ended.is_set)
        return process.messages

    async def second():
        process = Process(wire)
        await until(lambda: process.messages)
        wire.client.sendall(message(2)[30:])
        await until(lambda: len(process.messages) == 2 and not wire.waiting())
        process.connection.abort()
        return process.messages

    assert run(first()) == [message(1)]
    assert run(second()) == [message(1), message(2)]


@pytest.mark.parametrize("size", [READ_SIZE, LARGEST_HELD, 3 * LARGEST_HELD])
def test_messages_of_many_octets(run, wire, size):
    long = message(1, bytes(size))

    async def script():
        process = Process(wire)
        sent = 0
        while sent < len(long):
            sent += wire.client.send(long[sent : sent + 50_000])
            await asyncio.sleep(0.01)
        wire.client.sendall(message(2))
        await until(lambda: len(process.messages) == 2 and not wire.waiting())
        process.connection.abort()
        return process.messages

    assert run(script()) == [long, message(2)]


def test_half_a_message_keeps_no_process_busy(run, wire):
    reads = []

    async def script():
        process = Process(wire)
        read = process.connection._framer.feed
        process.connection._framer.feed = lambda data: reads.append(data) or read(data)
        wire.client.sendall(message(1)[:20])
        await until(lambda: reads)
        await asyncio.sleep(0.2)
        process.connection.abort()

    run(script())
    assert reads == [message(1)[:20]]


@pytest.mark.parametrize("last", [b"", message(1)[:20]])
def test_the_client_closes(run, wire, last):
    async def script():
        process = Process(wire)
        wire.client.sendall(last)
        wire.client.shutdown(socket.SHUT_WR)
        await until(process.connection.ended.is_set)
        return process.ends

    assert run(script()) == [7]


def test_octets_that_are_no_sip_are_refused_and_the_answer_arrives(run, wire):
    async def script():
        process = Process(wire)
        wire.client.sendall(message(1) + b"OPTIONS sip:srs@x SIP/2.0\r\n\r\n" + bytes(100))
        await until(process.connection.ended.is_set)
        assert len(process.errors) == 1
        return process.messages

    assert run(script()) == [message(1)]
    wire.held.close()
    wire.client.settimeout(PATIENCE_S)
    assert wire.client.recv(100) == b"refused"
    assert wire.client.recv(100) == b""


def test_a_keep_alive_is_answered(run, wire):
    async def script():
        process = Process(wire)
        wire.client.sendall(b"\r\n\r\n")
        wire.client.settimeout(PATIENCE_S)
        await until(lambda: not wire.waiting())
        process.connection.abort()

    run(script())
    assert wire.client.recv(100) == b"\r\n"


def test_a_client_that_breaks_off_while_it_is_answered(run, wire):
    """It sends a keep-alive and resets the connection."""

    async def script():
        process = Process(wire)
        wire.client.sendall(b"\r\n\r\n" + message(1)[:20])
        wire.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        wire.client.close()
        await until(process.connection.ended.is_set)
        return process.ends

    assert run(script()) == [7]


def test_a_slow_reader_gets_all_and_one_that_reads_nothing_is_given_up(run, wire):
    part = bytes(1 << 20)

    async def read(count):
        wire.client.setblocking(False)
        loop = asyncio.get_running_loop()
        while count:
            count -= len(await loop.sock_recv(wire.client, min(count, 1 << 16)))

    async def script():
        process = Process(wire)
        for _ in range(6):
            process.connection.write(part)
        async with asyncio.timeout(PATIENCE_S):
            await read(6 * len(part))
        assert not process.connection._unsent
        for _ in range(30):
            process.connection.write(part)
        assert process.connection.ended.is_set()
        return process.counts

    assert run(script()) == {"peers that do not read": 1}


def test_closing_waits_for_what_was_written(run, wire):
    async def script():
        process = Process(wire)
        process.connection.write(bytes(6 << 20))
        process.connection.close()
        process.connection.write(b"too late")
        assert not process.connection.ended.is_set()
        wire.client.setblocking(False)
        count = 0
        async with asyncio.timeout(PATIENCE_S):
            while not process.connection.ended.is_set():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.1):
                        count += len(await asyncio.get_running_loop().sock_recv(wire.client, 1 << 16))
        with contextlib.suppress(BlockingIOError):
            while part := wire.client.recv(1 << 16):
                count += len(part)
        return count

    assert run(script()) == 6 << 20


def test_a_client_that_is_gone(run, wire):
    wire.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    wire.client.close()

    async def script():
        with wire.held.dup() as sock, pytest.raises(OSError, match="not connected"):
            HeldConnection(sock, 7, None, Counter(), None)

    run(script())
