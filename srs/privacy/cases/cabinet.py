"""Where cases are kept: their keys, what is sealed for them in the store, who may open them."""

import hashlib
import io
from dataclasses import dataclass
from typing import IO, BinaryIO

from sqlalchemy import Engine

from srs.archive.errors import NotReady
from srs.archive.seal import Keys, seal_for
from srs.archive.store import Store
from srs.archive.subject import fits
from srs.config import Settings
from srs.privacy import access
from srs.privacy.cases.tables import Case
from srs.privacy.roles import Person, Right

FOLDER = "cases"
"""Of keys and of the store."""


@dataclass(frozen=True, slots=True)
class Cabinet:
    """Database, store and keys."""

    settings: Settings
    engine: Engine
    store: Store

    @property
    def keys(self) -> Keys:
        """Of all cases, by their ids; in a folder of their own, which `srs keys` does not list."""
        return Keys(self.settings.keys_dir / FOLDER)

    def open(self, case_id: str, file: str) -> BinaryIO:
        """What is sealed for a case under a key of the store.

        Raises:
            Sealed: the key of the case is not here.
            NotReady: it is gone.
        """
        try:
            return self.keys.open(case_id, self.store.open(file))
        except FileNotFoundError:
            raise NotReady(f"{self.store.location(file)} is gone") from None


@dataclass(frozen=True, slots=True)
class Sealed:
    """What was put into the store."""

    file: str
    bytes: int
    sha256: str
    """Of the sealed file."""


def put(store: Store, case: Case, name: str, plain: IO[bytes], buffer: IO[bytes]) -> Sealed:
    """Seal the rest of a file for a case, in `buffer`, and store it; only the public key is needed."""
    seal_for([case.public_key], plain, buffer)
    buffer.seek(0)
    digest = hashlib.file_digest(buffer, "sha256").hexdigest()  # type: ignore[arg-type] # files have readinto
    octets, file = buffer.tell(), f"{FOLDER}/{case.id}/{name}.age"
    buffer.seek(0)
    store.put(file, buffer)
    return Sealed(file, octets, digest)


def sealed(case: Case, plain: bytes) -> bytes:
    """A few octets, sealed for a case."""
    target = io.BytesIO()
    seal_for([case.public_key], io.BytesIO(plain), target)
    return target.getvalue()


# Who may see a case


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something with a case, and where from."""

    person: Person
    origin: str

    @property
    def label(self) -> str:
        return self.person.label


def has(person: Person, right: Right) -> bool:
    """Whether somebody has a right of the house: CASES or APPROVE."""
    return access.may_in_house(person, right).allowed


def is_concerned(case: Case, person: Person) -> bool:
    """Whether somebody is one of the persons that a case is about."""
    return fits(case.persons, person.extensions) or fits(person.extensions, case.persons)


def investigates(case: Case, person: Person) -> bool:
    """Whether somebody may know what a case recorded."""
    return person.id in case.investigators and has(person, Right.CASES) and not is_concerned(case, person)


def oversees(case: Case, person: Person) -> bool:
    """Whether somebody may see its papers and steps, to approve it and to have its letters sent."""
    return has(person, Right.APPROVE) and not is_concerned(case, person)
