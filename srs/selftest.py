"""The whole way of a call, tried: made, recorded, heard on both legs, mailed, deleted, and nothing left.

Each link of the chain is a function; the first that fails says what is wrong.
"""

import asyncio
import contextlib
import io
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import numpy as np
from sqlalchemy import Engine
from sqlmodel import select

from rtp.codecs import encode
from srs.archive import audio
from srs.archive.database import reading
from srs.archive.errors import ArchiveError
from srs.archive.export import open_sound
from srs.archive.store import Store
from srs.archive.tables import Recording, State
from srs.config import Settings
from srs.config.mail import MailRule, MailServer
from srs.handoff.delete import delete
from srs.handoff.errors import HandoffError
from srs.handoff.mail.attachment import Attachment
from srs.handoff.mail.message import Letter, compose
from srs.handoff.mail.relay import Relays
from srs.handoff.tables import Receipt
from srs.sip.address import ListenAddress
from srs.siprec.src import CODECS, CallFailed, Client, Plan
from srs.siprec.src_audio import tone

TONES_HZ = (440, 620)
SECONDS = 2.0
PATIENCE_S = 60.0
PARTIES = ["sip:selftest@localhost", "sip:echo@localhost"]
SENDER = "selftest@localhost.localdomain"


class Broken(Exception):
    """A link of the chain does not hold; the message says what was found."""


@dataclass
class Trial:
    """What the links hand on to each other."""

    settings: Settings
    engine: Engine
    store: Store
    mailbox: str | None = None
    """Where the mail goes, by the servers of the settings; None: to a server of the test's own."""
    call_id: str = ""
    row: Recording | None = None
    sound: bytes = b""

    @property
    def recording(self) -> Recording:
        """That of the call, once it was found."""
        assert self.row is not None
        return self.row


def run(trial: Trial) -> Iterator[tuple[str, str | None]]:
    """Try link after link; yields the name of each and what is wrong with it, None if it holds.

    The first that is wrong is the last.

    What was recorded is deleted also when a link before does not hold.
    """
    for name, link in LINKS.items():
        try:
            link(trial)
        except (Broken, ArchiveError, HandoffError, OSError) as error:
            yield name, str(error) or type(error).__name__
            break
        yield name, None
    else:
        return
    if trial.row is not None:
        with contextlib.suppress(ArchiveError):  # said above
            _delete(trial)


def _call(trial: Trial) -> None:
    target = _target(trial.settings)
    frames = [[frame.tobytes() for frame in encode("PCMU", tone(hz)).reshape(-1, 160)] for hz in TONES_HZ]
    plan = Plan(
        target=(target.host, target.port),
        transport=target.transport.upper(),
        parties=PARTIES,
        frames=frames,
        codec=CODECS["PCMU"],
        duration_s=SECONDS,
    )

    async def make() -> str:
        async with Client(plan.target, plan.transport) as client:
            return (await client.call(plan)).call_id

    try:
        trial.call_id = asyncio.run(make())
    except CallFailed as failure:
        raise Broken(f"no call to {target}: {failure}; is srs serve running?") from failure


def _target(settings: Settings) -> ListenAddress:
    """Where the recorder of the settings listens, as this host reaches it."""
    addresses = [ListenAddress.parse(url) for url in settings.sip.listen if not url.startswith("tls:")]
    if not addresses:
        raise Broken("[sip] listen has neither udp:// nor tcp://")
    loopback = {"0.0.0.0": "127.0.0.1", "::": "::1"}
    first = addresses[0]
    return ListenAddress(first.transport, loopback.get(first.host, first.host), first.port)


def _record(trial: Trial) -> None:
    row = _wait(lambda: _found(trial), "no recording of the call appeared in the archive")
    trial.row = row
    if row.state != State.READY:
        raise Broken(f"recording {row.id} is {row.state}: {row.reason}")


def _found(trial: Trial) -> Recording | None:
    with reading(trial.engine) as session:
        return session.exec(select(Recording).where(Recording.call_id == trial.call_id)).first()


def _wait(look: Callable[[], Recording | None], otherwise: str) -> Recording:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.2)
    raise Broken(f"{otherwise} within {PATIENCE_S:.0f} s")


def _listen(trial: Trial) -> None:
    """Both legs have their tone, as long as the call."""
    with open_sound(trial.recording, trial.store) as file:
        trial.sound = file.read()
    sound = audio.read(io.BytesIO(trial.sound))
    samples = np.concatenate(list(sound.pieces))
    if samples.shape[1] != len(TONES_HZ):
        return  # mixed by the settings: both tones are in one channel
    for leg, (channel, hz) in enumerate(zip(samples.T, TONES_HZ, strict=True)):
        middle = channel[len(channel) // 4 : 3 * len(channel) // 4].astype(float)
        spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
        heard = float(np.argmax(spectrum)) * sound.rate / len(middle)
        if not middle.any() or abs(heard - hz) > 5:
            raise Broken(f"leg {leg + 1}: a tone of {hz} Hz was sent, {heard:.0f} Hz is heard")


def _mail(trial: Trial) -> None:
    rule = MailRule(name="selftest", to=[trial.mailbox or SENDER])
    sender = trial.settings.mail.sender or SENDER
    name = f"selftest.{trial.recording.format}"
    mail = compose(trial.recording, Letter(rule, sender, list(rule.to)), Attachment(name, trial.sound))
    if trial.mailbox is not None:
        _send(trial.settings.mail.server, sender, list(rule.to), mail)
        return
    with Sink() as sink:
        _send([MailServer(host="127.0.0.1", port=sink.port, tls="none")], sender, list(rule.to), mail)
    came = message_from_bytes(sink.mail, policy=policy.default)
    [attached] = [part.get_content() for part in came.iter_attachments()]
    if attached != trial.sound or came["Message-ID"] != mail["Message-ID"]:
        raise Broken("the mail that came is not the one that was sent")


def _send(servers: list[MailServer], sender: str, to: list[str], mail: EmailMessage) -> None:
    relays = Relays(servers)
    try:
        answers = relays.send(sender, to, mail.as_bytes())
    finally:
        relays.close()
    for recipient, said in answers.items():
        if not said.accepted:
            raise Broken(f"{recipient}: {said.server} says {said.code} {said.reply}")


def _delete(trial: Trial) -> None:
    delete(
        trial.engine, trial.store, trial.settings, trial.recording.id, datetime.now(UTC), "self test", "srs selftest"
    )


def _look(trial: Trial) -> None:
    """Nothing is left but the row and the receipt."""
    assert trial.recording.file is not None
    with reading(trial.engine) as session:
        row = session.get_one(Recording, trial.recording.id)
        receipt = session.exec(select(Receipt).where(Receipt.recording_id == row.id)).first()
    left = [str(path) for path in (trial.settings.data_dir / "captures").rglob(f"{row.id}*")]
    if trial.store.size(trial.recording.file) is not None:
        left.append(trial.store.location(trial.recording.file))
    if left or row.state != State.DELETED or receipt is None:
        raise Broken(f"deleted, but the row is {row.state}, left are: {', '.join(left) or 'no files'}")


LINKS: dict[str, Callable[[Trial], None]] = {
    "call": _call,
    "recording": _record,
    "sound": _listen,
    "mail": _mail,
    "deletion": _delete,
    "nothing left": _look,
}


class Sink:
    """A mail server for one mail, on loopback."""

    def __enter__(self) -> "Sink":
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(PATIENCE_S)
        self.port, self.mail = int(self._listener.getsockname()[1]), b""
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(PATIENCE_S)
        self._listener.close()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        connection.settimeout(PATIENCE_S)
        with connection, connection.makefile("rwb", buffering=0) as file:
            file.write(b"220 selftest\r\n")
            for line in file:
                if line.upper().startswith(b"DATA"):
                    file.write(b"354 go on\r\n")
                    self.mail = b"".join(_data(file))
                file.write(b"250 selftest\r\n")
                if line.upper().startswith(b"QUIT"):
                    return


def _data(lines: Iterator[bytes]) -> Iterator[bytes]:
    """The lines of a mail, undone what RFC 5321 section 4.5.2 does to dots."""
    for line in lines:
        if line == b".\r\n":
            return
        yield line[1:] if line.startswith(b".") else line
