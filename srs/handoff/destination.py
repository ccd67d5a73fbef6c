"""Where copies of recordings go: a folder, an object store, or a server by SFTP."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Literal, Protocol

from pydantic import Field, SecretStr

from srs.archive.store import open_store
from srs.config.values import Section


class Options(Section):
    """Of `module = "copy"`."""

    url: str = Field(pattern=r"^(file|s3|az|gs|sftp)://")
    """`file:///folder`, `s3://bucket/prefix`, or `sftp://user@host:22/folder`."""
    format: Literal["wav", "flac", "mp3", "opus"] | None = None
    """Without it as it is stored."""
    facts: bool = True
    """Whether a JSON file with what is known stands beside the sound."""
    keep_longer: bool = False
    """Whether a copy outlives its recording, unless a person deletes or erases that."""
    known_hosts: Path | None = None
    """For SFTP: keys of servers, as OpenSSH has them; without it `~/.ssh/known_hosts`."""
    key_file: Path | None = None
    password: SecretStr | None = None
    timeout_s: float = Field(default=60.0, gt=0)


class Destination(Protocol):
    """Holds files under relative paths. Both methods may raise StoreError, OSError or a HandoffError."""

    def put(self, key: str, content: IO[bytes]) -> None:
        """Keep a file, whole or not at all."""

    def delete(self, key: str) -> None:
        """Remove a file; it may be gone already."""


@contextmanager
def opened(options: Options) -> Iterator[Destination]:
    """The destination that the options name.

    Raises:
        NotNow, NeedsPerson, StoreError: it is not to be had.
    """
    if options.url.startswith("sftp:"):
        from srs.handoff.sftp import server  # here, not above: paramiko takes long to load

        with server(options) as there:
            yield there
    else:
        yield open_store(options.url)
