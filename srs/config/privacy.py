"""Why calls may be recorded, who is told and how sound is sealed: `[[purpose]]`, `[[purpose_rule]]`, `[privacy]`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from srs.config.rules import Match, Patterns
from srs.config.values import Section, items

EMERGENCY = ["112", "911", "999", "000", "110", "113", "116*", "0900-8844", "09008844"]
"""Numbers that people call in need: European and other emergency numbers, 113 and the 116 series, the Dutch police."""

ExpandedPath = Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())]
KeyName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class PurposeSettings(Section):
    """Why a call is recorded, and what follows from it; see docs/privacy.md."""

    name: str = Field(min_length=1, description="What rules, commands and reports call it.")
    basis: str = Field(default="", description="Its lawful basis, GDPR article 6.")
    text_nl: str = Field(default="", description="What the caller is told, in Dutch.")
    text_en: str = Field(default="", description="What the caller is told, in English.")
    keep_days: int | None = Field(default=None, ge=0, description="Days that it is kept; without it as `[retention]`.")
    listen: Annotated[list[str], BeforeValidator(items)] = Field(
        default=[], description="Roles that may listen; empty: those that may listen at all."
    )
    fits: Annotated[list[str], BeforeValidator(items)] = Field(
        default=[], description="Other purposes that its recordings may be played and exported for."
    )
    notice: ExpandedPath | Literal["outside"] | None = Field(
        default=None,
        description="Sound file of the announcement, looked for in every call; `outside`: callers are told before "
        "the recording begins.",
    )
    key: KeyName | None = Field(default=None, description="The key that its sound is sealed for.")


class PurposeRuleSettings(Section):
    """Gives the recordings that fit a purpose; the first that fits holds."""

    purpose: str = Field(description="Name of the purpose.")
    match: Match = Field(default=Match(), description="Which recordings.")


class StaffNoticeSettings(Section):
    """Employees are mailed how often they were recorded in each period, and what for; see docs/privacy.md."""

    name: str = Field(min_length=1, max_length=64, description="What tasks call it.")
    period: Literal["week", "month", "quarter"] = Field(
        default="month", description="After each of these (UTC) the mails are sent."
    )
    group: Annotated[list[str], BeforeValidator(items)] = Field(
        default=[], description="Names of `[[group]]`s whose employees are told; empty: all with own extensions."
    )
    language: Literal["nl", "en"] | None = Field(default=None, description="Of the mails; without it each user's own.")


class PrivacySettings(Section):
    unassigned: Literal["keep", "drop"] = Field(
        default="keep", description="What becomes of a recording without purpose: `keep` or `drop` its sound."
    )
    unassigned_days: int = Field(default=30, ge=0, description="Days that recordings without purpose are kept.")
    do_not_record: Patterns = Field(
        default=EMERGENCY,
        description="Patterns of numbers, extensions and addresses whose calls are not kept: only that they were.",
    )
    key: KeyName | None = Field(default=None, description="The key that sound without a purpose's key is sealed for.")
    keys: ExpandedPath | None = Field(
        default=None,
        description="Folder of the keys, `NAME.pub` and where playing is allowed `NAME.key`; without it `keys` in the "
        "data folder.",
    )
    notice_header: str | None = Field(
        default="X-Recording-Notice",
        description="Header of the INVITE, or element of the metadata, by which a client says that callers were told.",
    )
    notice_alarm: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="Share of the last day's calls without notice above which an alarm is raised; 1: never.",
    )


LEGITIMATE = "6(1)(f) legitimate interest"
DEFAULTS = (
    PurposeSettings(
        name="training",
        basis=LEGITIMATE,
        keep_days=90,
        text_nl="Dit gesprek wordt opgenomen voor de training van onze medewerkers.",
        text_en="This call is recorded for the training of our staff.",
    ),
    PurposeSettings(
        name="quality",
        basis=LEGITIMATE,
        keep_days=90,
        text_nl="Dit gesprek wordt opgenomen om de kwaliteit van onze dienstverlening te bewaken.",
        text_en="This call is recorded to monitor the quality of our service.",
    ),
    PurposeSettings(
        name="complaints",
        basis=LEGITIMATE,
        keep_days=365,
        text_nl="Dit gesprek wordt opgenomen voor de behandeling van klachten.",
        text_en="This call is recorded for the handling of complaints.",
    ),
    PurposeSettings(
        name="agreement",
        basis="6(1)(b) contract, or 6(1)(c) legal obligation",
        keep_days=7 * 365,
        text_nl="Dit gesprek wordt opgenomen om afspraken en overeenkomsten te kunnen aantonen.",
        text_en="This call is recorded as evidence of agreements and transactions.",
    ),
    PurposeSettings(
        name="security",
        basis=LEGITIMATE,
        keep_days=30,
        text_nl="Dit gesprek wordt opgenomen voor de veiligheid van medewerkers en bezoekers.",
        text_en="This call is recorded for the safety of staff and visitors.",
    ),
    PurposeSettings(
        name="investigation",
        basis="6(1)(f), with a DPIA and prior consultation (articles 35 and 36)",
        keep_days=180,
        listen=["investigator"],
    ),
)
"""The purposes that there are without settings; a `[[purpose]]` of the same name takes the place of one."""


def purposes(own: Sequence[PurposeSettings]) -> dict[str, PurposeSettings]:
    """All purposes by name: the built-in ones, and in their place or beside them one's own."""
    return {purpose.name: purpose for purpose in (*DEFAULTS, *own)}


def check(own: Sequence[PurposeSettings], rules: Sequence[PurposeRuleSettings]) -> None:
    """
    Raises:
        ValueError: two purposes have one name; a rule or a purpose speaks of one that there is not; a rule comes after
            one that takes all recordings.
    """
    names = [purpose.name for purpose in own]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"[[purpose]] {twice[0]} is there twice")
    known = purposes(own)
    spoken = [rule.purpose for rule in rules] + [name for purpose in own for name in purpose.fits]
    if unknown := [name for name in spoken if name not in known]:
        raise ValueError(f"there is no purpose {unknown[0]}: there are {', '.join(known)}")
    for place, rule in enumerate(rules):
        if rule.match in [before.match for before in rules[:place]] or Match() in [r.match for r in rules[:place]]:
            raise ValueError(f"[[purpose_rule]] {place + 1} ({rule.purpose}) is never reached: an earlier one fits all")
