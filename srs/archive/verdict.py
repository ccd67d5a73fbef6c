"""What those who have a say in it decide of a recording before its sound is stored."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from srs.archive.tables import Recording

if TYPE_CHECKING:
    from srs.archive.finalise import Recording as Finalised


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to become of the sound."""

    unwanted: str | None = None
    """Why it may not be kept; None: it may."""
    key: str | None = None
    """Name of the key that it is sealed for; None: it is stored as it is."""


Judge: TypeAlias = "Callable[[Recording, Finalised], Verdict]"
"""May also say more in the row, such as its purpose; the row is not saved yet."""


def unjudged(row: Recording, finalised: "Finalised") -> Verdict:  # noqa: ARG001
    return Verdict()
