"""Which settings the pages let people change."""

from dataclasses import dataclass
from typing import Final

from srs.config.handoff import HandoffSettings, RetentionRule, RetentionSettings
from srs.config.mail import MailRule, MailServer, MailSettings
from srs.config.media import AdmissionSettings, AudioSettings
from srs.config.privacy import PrivacySettings, PurposeRuleSettings, PurposeSettings
from srs.config.rules import GroupSettings, NumbersSettings
from srs.config.sip import PeerSettings
from srs.config.values import Section
from srs.config.watching import AlarmSettings


@dataclass(frozen=True, slots=True)
class Subject:
    """Settings that have a page together."""

    path: str
    """In the address."""
    key: str
    """In the settings file: `retention.rule`."""
    model: type[Section]
    many: bool
    """A list of such sections, or one."""
    title: str
    """In English, as the text below."""
    about: str

    @property
    def names(self) -> list[str]:
        return self.key.split(".")


SUBJECTS: Final = {
    subject.path: subject
    for subject in (
        Subject(
            "purposes",
            "purpose",
            PurposeSettings,
            True,
            "Purposes",
            "Why calls are recorded: lawful basis, what callers are told, how long, who may listen.",
        ),
        Subject(
            "purpose-rules",
            "purpose_rule",
            PurposeRuleSettings,
            True,
            "Purpose rules",
            "Which calls are recorded for which purpose; the first that fits holds.",
        ),
        Subject(
            "privacy",
            "privacy",
            PrivacySettings,
            False,
            "Privacy",
            "Calls without purpose, numbers that are not recorded, notice.",
        ),
        Subject(
            "retention",
            "retention",
            RetentionSettings,
            False,
            "Retention",
            "How long recordings are kept that no rule is for, and what happens when the disk is full.",
        ),
        Subject(
            "retention-rules",
            "retention.rule",
            RetentionRule,
            True,
            "Retention rules",
            "How long some recordings are kept.",
        ),
        Subject("mail", "mail", MailSettings, False, "Mail", "Who sends, and who is told of what a server refused."),
        Subject(
            "mail-servers",
            "mail.server",
            MailServer,
            True,
            "Mail servers",
            "Relays that take mail; the next is tried when one fails.",
        ),
        Subject(
            "mail-rules",
            "mail.rule",
            MailRule,
            True,
            "Mail rules",
            "Which recordings are mailed to whom, and whether they are then deleted here.",
        ),
        Subject(
            "handoff",
            "handoff",
            HandoffSettings,
            True,
            "Handoff",
            "Modules that recordings are handed to: webhook, copy, transcription, your own.",
        ),
        Subject(
            "groups",
            "group",
            GroupSettings,
            True,
            "Groups",
            "People or extensions that rules and roles speak of together.",
        ),
        Subject("numbers", "numbers", NumbersSettings, False, "Numbers", "Which numbers are own extensions."),
        Subject(
            "peers",
            "peer",
            PeerSettings,
            True,
            "Peers",
            "Which PBXs and SBCs may record here, and how; without any, everybody may.",
        ),
        Subject(
            "audio",
            "audio",
            AudioSettings,
            False,
            "Sound",
            "In which format recordings are kept, and what losses sound like.",
        ),
        Subject("admission", "admission", AdmissionSettings, False, "Limits", "How many calls are taken at once."),
        Subject("alarms", "alarms", AlarmSettings, False, "Alarms", "When something is wrong with a call under way."),
    )
}
