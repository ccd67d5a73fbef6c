"""Files on another server, by SFTP."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import IO
from urllib.parse import unquote, urlsplit

import paramiko

from srs.handoff.destination import Options
from srs.handoff.errors import NeedsPerson, NotNow


class Folder:
    """A folder there."""

    def __init__(self, sftp: paramiko.SFTPClient, root: PurePosixPath) -> None:
        self._sftp, self._root = sftp, root

    def put(self, key: str, content: IO[bytes]) -> None:
        """Beside, then renamed: nobody finds half a file."""
        path = self._root / key
        for folder in reversed(path.parents[:-1]):
            with suppress(OSError):
                self._sftp.mkdir(str(folder))
        unfinished = f"{path}.part"
        self._sftp.putfo(content, unfinished)
        self._sftp.posix_rename(unfinished, str(path))

    def delete(self, key: str) -> None:
        """It may be gone already."""
        with suppress(FileNotFoundError):
            self._sftp.remove(str(self._root / key))


@contextmanager
def server(options: Options) -> Iterator[Folder]:
    """The folder of the options, on a server whose key is known.

    Raises:
        NeedsPerson: it is another server than it was, or does not let us in.
        NotNow: it does not answer.
    """
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
            yield Folder(sftp, PurePosixPath(unquote(parts.path)))
    except (paramiko.BadHostKeyException, paramiko.AuthenticationException) as error:
        raise NeedsPerson(f"sftp {parts.hostname}: {error}") from error
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise NotNow(f"sftp {parts.hostname}: {error}") from error
    finally:
        client.close()
