"""A copy of a recording elsewhere: a folder, an object store, or a server by SFTP."""

import contextlib
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Literal
from urllib.parse import unquote, urlsplit

import paramiko
from pydantic import Field, SecretStr
from sqlmodel import Session

from srs.archive import audio
from srs.archive.catalogue import details
from srs.archive.export import tags
from srs.archive.store import open_store
from srs.config.handoff import HandoffSettings
from srs.config.settings import Settings
from srs.config.values import Section
from srs.handoff.errors import NeedsPerson, NotNow
from srs.handoff.module import Also, Job
from srs.handoff.tables import Task

Put = Callable[[str, IO[bytes]], None]
"""Keeps a file under a relative path."""


class Options(Section):
    """Of `module = "copy"`."""

    url: str = Field(pattern=r"^(file|s3|az|gs|sftp)://")
    """`file:///folder`, `s3://bucket/prefix`, or `sftp://user@host:22/folder`."""
    format: Literal["wav", "flac", "mp3", "opus"] | None = None
    """Without it as it is stored."""
    facts: bool = True
    """Whether a JSON file with what is known stands beside the sound."""
    known_hosts: Path | None = None
    """For SFTP: keys of servers, as OpenSSH has them; without it `~/.ssh/known_hosts`."""
    key_file: Path | None = None
    password: SecretStr | None = None
    timeout_s: float = Field(default=60.0, gt=0)


class Copy:
    """The module."""

    def __init__(self, settings: Settings, entry: HandoffSettings) -> None:  # noqa: ARG002
        self._options = Options(**entry.options)

    def run(self, job: Job) -> Also:
        """Put it there, whole or not at all; where is kept for the receipt."""
        row, kind = job.recording, self._options.format or job.recording.format or "wav"
        name = f"{row.started_at:%Y/%m/%d}/{row.id}"
        with _sound(job, kind) as sound, self._target() as put:
            put(f"{name}.{kind}", sound)
            if self._options.facts:
                facts = json.dumps(details(job.context.engine, row, job.context.store), ensure_ascii=False, indent=2)
                put(f"{name}.json", io.BytesIO(facts.encode()))
        where = f"{self._options.url.rstrip('/')}/{name}.{kind}"

        def note(session: Session) -> None:
            task = session.get_one(Task, job.task.id)
            task.payload = {**task.payload, "where": where}

        return note

    @contextlib.contextmanager
    def _target(self) -> Iterator[Put]:
        if self._options.url.startswith("sftp:"):
            with _sftp(self._options) as put:
                yield put
        else:
            yield open_store(self._options.url).put


def _sound(job: Job, kind: str) -> IO[bytes]:
    source = job.open_sound()
    if kind == job.recording.format:
        return source
    file = io.BytesIO()
    with source:
        sound = audio.read(source)
        audio.write(file, kind, sound.pieces, sound.channels, sound.rate, tags(job.recording))
    file.seek(0)
    return file


# SFTP


@contextlib.contextmanager
def _sftp(options: Options) -> Iterator[Put]:
    parts = urlsplit(options.url)
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    try:
        client.load_host_keys(str(options.known_hosts or Path("~/.ssh/known_hosts").expanduser()))
        client.connect(
            parts.hostname or "",
            parts.port or 22,
            parts.username,
            options.password.get_secret_value() if options.password else None,
            key_filename=str(options.key_file) if options.key_file else None,
            timeout=options.timeout_s,
        )
        with client.open_sftp() as sftp:
            if channel := sftp.get_channel():
                channel.settimeout(options.timeout_s)
            root = PurePosixPath(unquote(parts.path))
            yield lambda name, file: _upload(sftp, root / name, file)
    except (paramiko.BadHostKeyException, paramiko.AuthenticationException) as error:
        raise NeedsPerson(f"sftp {parts.hostname}: {error}") from error
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise NotNow(f"sftp {parts.hostname}: {error}") from error
    finally:
        client.close()


def _upload(sftp: paramiko.SFTPClient, path: PurePosixPath, file: IO[bytes]) -> None:
    """Beside, then renamed: nobody finds half a file."""
    for folder in reversed(path.parents[:-1]):
        with contextlib.suppress(OSError):
            sftp.mkdir(str(folder))
    unfinished = f"{path}.part"
    sftp.putfo(file, unfinished)
    sftp.posix_rename(unfinished, str(path))
