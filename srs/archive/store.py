"""Where sound is kept: a folder by default, or an object store, behind one small interface."""

import contextlib
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO, cast
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, from_url

from srs.archive.errors import StoreError
from srs.archive.seal import Keys

if TYPE_CHECKING:
    from obstore.store import ObjectStore  # exists for type checkers only

_CHUNK = 32 << 20  # octets; with obstore's own 5 MiB a local folder costs twice the CPU


@dataclass(frozen=True)
class Store:
    """An audio store. Keys are relative paths with slashes. Every method may raise StoreError."""

    objects: "ObjectStore"
    url: str
    root: Path | None = None
    """The folder, if it is one on this machine."""
    keys: Keys = field(default_factory=lambda: Keys(Path("keys")))
    """What sealed sound is sealed with and opened with; the store itself knows only octets."""
    _safe: set[tuple[str, int]] = field(default_factory=set)
    """Folders, path and inode, of which the entry in the folder above is known to be on disk."""

    def put(self, key: str, content: IO[bytes]) -> None:
        """Keep the rest of a file under a key, in place of what was there. It is safe when this returns."""
        with _errors(self.url):
            if _is_local(content):
                obstore.put(self.objects, key, content, chunk_size=_CHUNK, max_concurrency=2)
            else:
                self._write(key, content)
            if self.root is not None:
                _fsync(self.root / key)
                self._sync_folders(self.root, key)

    def _write(self, key: str, content: IO[bytes]) -> None:
        """Keep what is read by obstore itself: `put` reads on a thread of its own, on which that would fail."""
        writer = obstore.open_writer(self.objects, key, buffer_size=_CHUNK, max_concurrency=2)
        while piece := content.read(_CHUNK):
            writer.write(piece)
        writer.close()  # nothing is under the key before; not reached when reading fails

    def size(self, key: str) -> int | None:
        """Octets under a key, None if there is nothing."""
        with _errors(self.url), contextlib.suppress(FileNotFoundError):
            return obstore.head(self.objects, key)["size"]
        return None

    def open(self, key: str) -> BinaryIO:
        """The content of a key as a seekable file.

        Raises:
            FileNotFoundError: there is nothing under it.
        """
        if self.root is not None:
            return (self.root / key).open("rb")
        with _errors(self.url):
            return cast("BinaryIO", _Plain(obstore.open_reader(self.objects, key)))

    def delete(self, key: str) -> None:
        """Remove what is under a key; it may be gone already."""
        with _errors(self.url), contextlib.suppress(FileNotFoundError):
            obstore.delete(self.objects, key)
        if self.root is not None:
            self._sync_folders(self.root, key)

    def _sync_folders(self, root: Path, key: str) -> None:
        """Have the entry of a key be on disk, and those of the folders that lead to it."""
        folder = (root / key).parent
        if folder.is_dir():
            _fsync(folder)
        while folder.is_relative_to(root) and folder.is_dir():
            known = str(folder), folder.stat().st_ino
            if known not in self._safe:
                _fsync(folder.parent)
                self._safe.add(known)
            folder = folder.parent

    def location(self, key: str) -> str:
        """Where people find it: a path on this machine, else a URL."""
        return str(self.root / key) if self.root is not None else f"{self.url.rstrip('/')}/{key}"


class _Plain:
    """A reader of obstore that returns `bytes`, as PyAV wants them."""

    def __init__(self, reader: "obstore.ReadableFile") -> None:
        self._reader = reader
        self.seek, self.tell, self.close, self.seekable = reader.seek, reader.tell, reader.close, reader.seekable

    def read(self, size: int = -1) -> bytes:
        return bytes(self._reader.read(size if size >= 0 else None))

    def readable(self) -> bool:
        return True

    def __enter__(self) -> "_Plain":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _is_local(content: IO[bytes]) -> bool:
    """Whether it is in memory or a file of this machine."""
    try:
        return isinstance(content, io.BytesIO) or content.fileno() >= 0
    except (AttributeError, OSError):
        return False


def open_store(url: str, keys: Path = Path("keys")) -> Store:
    """The store of a URL: `file:///…` or any that obstore knows, with credentials from its environment variables.

    Args:
        keys: the folder of the keys.

    Raises:
        StoreError: there is no such kind of store, or the folder cannot be made.
    """
    parts = urlsplit(url)
    if parts.scheme == "file":
        root = Path(unquote(parts.path))
        with _errors(url):
            root.mkdir(parents=True, exist_ok=True, mode=0o700)
            return Store(LocalStore(root), url, root, Keys(keys))
    with _errors(url):
        return Store(from_url(url), url, keys=Keys(keys))


@contextlib.contextmanager
def _errors(url: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        if "NoSuchBucket" in str(error):  # which must not pass for an object that is gone already
            raise StoreError(f"audio store {url}: there is no such bucket") from error
        raise
    except (BaseError, OSError, ValueError) as error:
        raise StoreError(f"audio store {url}: {str(error).partition(chr(10))[0]}") from error


def _fsync(path: Path) -> None:
    """obstore writes beside and renames, but leaves the content to the kernel's good will."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
