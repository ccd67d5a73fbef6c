"""TLS over real sockets, with openssl as the independent client."""

import asyncio
import os
import ssl
import subprocess

import pytest
import uvloop
from structlog.testing import capture_logs

from srs.sip.endpoint import Endpoint
from srs.sip.events import RequestReceived
from srs.sip.message import parse, response
from srs.sip.tls import Certificates, Identity, TlsError, client_context, names
from srs.sip.transport import SipServer

OPTIONS = (
    b"OPTIONS sip:srs@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:9;branch=z9hG4bK%d\r\n"
    b"From: <sip:sbc@example.com>;tag=1\r\nTo: <sip:srs@example.com>\r\nCall-ID: %d\r\nCSeq: 1 OPTIONS\r\n"
    b"Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
)


def openssl(*words, **options):
    return subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, **options)


class Authority:
    """Signs certificates."""

    def __init__(self, folder):
        self.folder = folder
        self.certificate, self.key = folder / "ca.pem", folder / "ca.key"
        self._request(
            self.key, self.certificate, "Test authority", "-x509", "-addext", "basicConstraints=critical,CA:TRUE"
        )

    def _request(self, key, out, name, *more):
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        openssl("req", *curve, "-keyout", key, "-out", out, "-subj", f"/CN={name}", "-days", "2", *more)

    def issue(self, name, alternative, stem=None):
        """Certificate and key of `name`."""
        stem = stem or name
        certificate, key, request = (self.folder / f"{stem}.{kind}" for kind in ("pem", "key", "csr"))
        self._request(key, request, name, "-addext", f"subjectAltName={alternative}")
        sign = ["-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial", "-copy_extensions", "copy"]
        openssl("x509", "-req", "-in", request, "-out", certificate, "-days", "2", *sign)
        return certificate, key


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def own(authority):
    return authority.issue("recorder", "IP:127.0.0.1", f"recorder-{os.urandom(4).hex()}")


class Server:
    """Answers 200 to everything and remembers who asked."""

    def __init__(self, identity):
        self.certificates = Certificates(identity)
        self.server = SipServer(Endpoint(token=lambda: os.urandom(8).hex()), self._on_event)
        self.seen = []

    def _on_event(self, event):
        if isinstance(event, RequestReceived):
            self.seen.append((event.flow.transport, self.server.peer_names(event.flow)))
            loop = asyncio.get_running_loop()
            self.server.endpoint.respond(event.transaction, response(event.request, 200), loop.time())

    async def listen(self):
        return (await self.server.listen("tls://127.0.0.1:0", self.certificates.context)).port


async def ask(port, context, number=1):
    """The answer to OPTIONS, and the serial number of the server's certificate."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    try:
        serial = (writer.get_extra_info("peercert") or {}).get("serialNumber")
        writer.write(OPTIONS % (number, number))
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        return parse(answer).code, serial
    finally:
        writer.close()


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run(request):
    return request.param


def test_options_over_tls(run, authority, own):
    async def script():
        server = Server(Identity(*own))
        port = await server.listen()
        assert (await ask(port, client_context(authority.certificate)))[0] == 200
        assert server.seen == [("TLS", ())]
        await server.server.close()

    run(script())


def test_the_client_certificate_says_who_it_is(run, authority, own):
    async def script():
        server = Server(Identity(*own, authority.certificate))
        port = await server.listen()
        client = authority.issue("sbc", "URI:sip:sbc.example.com,DNS:SBC1.example.com")
        assert (await ask(port, client_context(authority.certificate, client)))[0] == 200
        assert server.seen == [("TLS", ("sbc.example.com", "sbc1.example.com"))]
        await server.server.close()

    run(script())


@pytest.mark.parametrize("required", [True, False])
def test_without_client_certificate(run, authority, own, required):
    async def script():
        server = Server(Identity(*own, authority.certificate, required=required))
        port = await server.listen()
        if required:
            with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
                await ask(port, client_context(authority.certificate))
            assert server.seen == []
        else:
            assert (await ask(port, client_context(authority.certificate)))[0] == 200
        await server.server.close()

    run(script())


@pytest.mark.parametrize(("trusted", "reason"), [(True, "peer did not return a certificate"), (False, "may not trust")])
def test_a_handshake_that_fails_is_logged_with_the_reason(run, authority, own, tmp_path, trusted, reason):
    """The client has no certificate, or does not believe ours."""
    known = authority if trusted else Authority(tmp_path)

    async def script():
        server = Server(Identity(*own, authority.certificate if trusted else None))
        port = await server.listen()
        with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
            await ask(port, client_context(known.certificate))
        for _ in range(100):
            if logged:
                break
            await asyncio.sleep(0.05)
        await server.server.close()

    with capture_logs() as logged:
        run(script())
    (line,) = logged
    assert (line["event"], line["source"].partition(":")[0]) == ("TLS handshake failed", "127.0.0.1")
    assert reason in line["reason"], line


def test_a_changed_certificate_is_read_without_restart(run, authority, own):
    async def script():
        server = Server(Identity(*own))
        port = await server.listen()
        context = client_context(authority.certificate)
        _, first = await ask(port, context)
        authority.issue("recorder", "IP:127.0.0.1", "fresh")[1].replace(own[1])  # the key alone: half of a change
        assert await ask(port, context, 2) == (200, first)
        (authority.folder / "fresh.pem").replace(own[0])
        code, second = await ask(port, context, 3)
        assert code == 200
        assert second != first
        await server.server.close()

    run(script())


def test_old_versions_are_refused(authority, own):
    async def script():
        server = Server(Identity(*own))
        port = await server.listen()
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.load_verify_locations(authority.certificate)
        old.set_ciphers("DEFAULT@SECLEVEL=0")
        old.minimum_version = ssl.TLSVersion.SSLv3
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await ask(port, old)
        await server.server.close()

    with pytest.warns(DeprecationWarning, match="deprecated"):
        asyncio.run(script())


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openssl_as_client(authority, own, version):
    async def script():
        server = Server(Identity(*own))
        port = await server.listen()
        command = [
            "openssl",
            "s_client",
            "-connect",
            f"127.0.0.1:{port}",
            version,
            "-CAfile",
            str(authority.certificate),
        ]
        client = await asyncio.create_subprocess_exec(
            *command, "-quiet", "-verify_return_error", stdin=-1, stdout=-1, stderr=-1
        )
        client.stdin.write(OPTIONS % (1, 1))
        answer = await asyncio.wait_for(client.stdout.readuntil(b"\r\n\r\n"), 10)
        client.kill()
        await client.wait()
        assert parse(answer).code == 200
        await server.server.close()

    asyncio.run(script())


def test_files_that_do_not_serve(authority, own, tmp_path):
    with pytest.raises(TlsError, match="nowhere"):
        Certificates(Identity(tmp_path / "nowhere.pem", own[1]))
    with pytest.raises(TlsError, match=own[0].name):
        Certificates(Identity(own[0], authority.key))


def test_names_of_a_certificate():
    assert names({}) == ()
    subject = ((("commonName", "SBC"),),)
    assert names({"subject": subject}) == ("sbc",)
    assert names({"subject": subject, "subjectAltName": (("DNS", "A"), ("URI", "sip:b"))}) == ("a", "b")
