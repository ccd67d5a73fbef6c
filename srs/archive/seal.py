"""Sound that only the holder of a key can open: age (https://age-encryption.org/v1), which `age -d` opens too.

A key is one or two files in a folder: `NAME.pub` with its recipients, a line each, and `NAME.key` with its identity as
`age-keygen` writes it, only where playing is allowed. A recorder with public keys alone records and cannot play.
"""

import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

import pyrage

from srs.archive.errors import NoKey, Sealed
from srs.archive.unseal import CannotOpen, unsealed

SUFFIX = ".age"
HEADER = b"age-encryption.org/"
"""What every sealed file begins with."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys in a folder, read when they are needed."""

    folder: Path

    def names(self) -> list[str]:
        """Of all keys, also those of which only one file is here."""
        return sorted({path.stem for kind in ("pub", "key") for path in self.folder.glob(f"*.{kind}")})

    def opens(self, name: str) -> bool:
        """Whether what is sealed for a key can be opened here."""
        return self._identity(name).exists()

    def recipients(self, name: str) -> list[str]:
        """Public keys.

        Raises:
            NoKey: there are none.
        """
        path = self._file(name, "pub")
        try:
            lines = [line.strip() for line in path.read_text().splitlines()]
        except FileNotFoundError:
            raise NoKey(f"there is no key {name}: its public key should be in {path} (srs keys new {name})") from None
        found = [line for line in lines if line and not line.startswith("#")]
        if not found:
            raise NoKey(f"{path}: there is no public key in it")
        return found

    def seal(self, name: str, source: IO[bytes], target: IO[bytes]) -> None:
        """Encrypt the rest of `source` for a key.

        Raises:
            NoKey: there is no such key, or it is none.
        """
        try:
            seal_for(self.recipients(name), source, target)
        except pyrage.RecipientError as error:
            raise NoKey(f"key {name}: not a public key of age: {error}") from None

    def open(self, name: str, source: BinaryIO) -> BinaryIO:
        """What is sealed for a key, opened where it is read; `source` is closed with it.

        Raises:
            Sealed: it cannot be opened here.
        """
        try:
            return unsealed(source, self._read(name))
        except CannotOpen as error:
            source.close()
            raise Sealed(f"sealed for key {name}, whose identity here does not open it: {error}") from None
        except BaseException:
            source.close()
            raise

    def _read(self, name: str) -> str:
        try:
            lines = self._identity(name).read_text().splitlines()
        except FileNotFoundError:
            raise Sealed(f"sealed for key {name}, and that is not here: {self._identity(name)}") from None
        return next((line for line in lines if line.startswith("AGE-SECRET-KEY-")), "")

    def make(self, name: str) -> str:
        """Make a key, both files; its public part is returned.

        Raises:
            NoKey: there is one of that name.
        """
        identity = pyrage.x25519.Identity.generate()
        public = str(identity.to_public())
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for kind, text in (("key", f"# public key: {public}\n{identity}\n"), ("pub", f"{public}\n")):
            _write_new(self._file(name, kind), text)
        return public

    def destroy(self, name: str) -> bool:
        """Overwrite and remove both files: what is sealed for it can be read by nobody who has no copy of it.

        Returns:
            Whether an identity was here.
        """
        path, was = self._identity(name), self.opens(name)
        if was:
            with path.open("r+b") as file:
                file.write(os.urandom(path.stat().st_size))
                file.flush()
                os.fsync(file.fileno())
            path.unlink()
        self._file(name, "pub").unlink(missing_ok=True)
        return was

    def _identity(self, name: str) -> Path:
        return self._file(name, "key")

    def _file(self, name: str, kind: str) -> Path:
        """Of a key of this folder and no other: keys of cases are in one below."""
        if not name or "/" in name or name.startswith("."):
            raise NoKey(f"{name!r} is no name of a key: no slash, no dot at its beginning")
        return self.folder / f"{name}.{kind}"


def _write_new(path: Path, text: str) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise NoKey(f"{path} is there already: a new key needs a new name") from None
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def seal_for(recipients: Iterable[str], source: IO[bytes], target: IO[bytes]) -> None:
    """Encrypt the rest of `source` for public keys.

    Raises:
        RecipientError: one of them is none.
    """
    pyrage.encrypt_io(source, target, [pyrage.x25519.Recipient.from_str(text) for text in recipients])


def sealed(keys: Keys, name: str, plain: IO[bytes], folder: Path) -> IO[bytes]:
    """A file without name in `folder` with what is in `plain`, sealed."""
    file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - returned open
    plain.seek(0)
    keys.seal(name, plain, file)
    return file
