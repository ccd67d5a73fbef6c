"""What the law has to say of a recording before it is stored: its purpose, who was told, whether it may be kept."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from srs.archive import ledger
from srs.archive.tables import Recording
from srs.archive.verdict import Verdict
from srs.config import Settings
from srs.privacy.notice import notices
from srs.privacy.purpose import definition, key_of, purpose_of, unwanted

if TYPE_CHECKING:
    from srs.archive.finalise import Recording as Finalised


@dataclass(frozen=True, slots=True)
class Judge:
    """Called for each recording, see `srs.archive.verdict`."""

    settings: Settings

    def __call__(self, row: Recording, finalised: "Finalised") -> Verdict:
        settings = self.settings
        if ledger.has(settings.data_dir, row.id):
            return Verdict(unwanted="erased before: its capture came back with a restored backup")
        row.purpose = purpose_of(row, settings)
        if reason := unwanted(row, settings):
            return Verdict(unwanted=reason)
        sound = definition(row.purpose, settings).notice if row.purpose else None
        row.notices = notices(row, finalised, sound, settings.privacy.notice_header, settings.numbers)
        return Verdict(key=key_of(row, settings))
