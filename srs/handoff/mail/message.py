"""The mail itself: who called whom, when, how long and why, and the sound."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

import jinja2
import pyrage
from cryptography import x509
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from srs.archive.subject import number
from srs.archive.tables import Recording
from srs.config.mail import MailRule
from srs.handoff.errors import NeedsPerson
from srs.handoff.mail.attachment import Attachment

_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=jinja2.select_autoescape(["html"]),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_SUBJECTS = {"en": "Recording: {} to {}, {}", "nl": "Opname: {} naar {}, {}"}
_UNKNOWN = {"en": "unknown", "nl": "onbekend"}
_TYPES = {"wav": ("audio", "wav"), "flac": ("audio", "flac"), "mp3": ("audio", "mpeg"), "opus": ("audio", "ogg")}


@dataclass(frozen=True)
class Letter:
    """What a mail says besides its sound."""

    rule: MailRule
    sender: str
    recipients: list[str]
    part: int = 1
    parts: int = 1
    link: str | None = None
    link_until: datetime | None = None


def message_id(row: Recording, rule: str, sender: str, part: int = 1) -> str:
    """The same at every attempt, so that one who got the mail twice can tell."""
    digest = hashlib.sha256(f"{row.id}\0{rule}\0{part}".encode()).hexdigest()[:32]
    return f"<{digest}@{sender.rpartition('@')[2]}>"


def compose(row: Recording, letter: Letter, attachment: Attachment | None) -> EmailMessage:
    """A whole mail.

    Raises:
        NeedsPerson: it cannot be sealed or encrypted for those the rule names.
    """
    facts = _facts(row, letter)
    language = letter.rule.language
    mail = EmailMessage(policy.SMTP)
    mail.set_content(_TEMPLATES.get_template(f"recording.{language}.txt").render(facts))
    mail.add_alternative(_TEMPLATES.get_template(f"recording.{language}.html").render(facts), subtype="html")
    if attachment is not None:
        _attach(mail, _sealed(attachment, letter.rule))
    if letter.rule.smime:
        mail = _enveloped(mail, letter.rule)
    mail["From"], mail["To"] = letter.sender, ", ".join(letter.recipients)
    part = f" ({letter.part}/{letter.parts})" if letter.parts > 1 else ""
    mail["Subject"] = _SUBJECTS[language].format(facts["caller"], facts["callee"], facts["start"]) + part
    mail["Date"] = format_datetime(row.created_at)
    mail["Message-ID"] = message_id(row, letter.rule.name, letter.sender, letter.part)
    mail["Auto-Submitted"] = "auto-generated"
    return mail


def _facts(row: Recording, letter: Letter) -> dict[str, object]:
    unknown = _UNKNOWN[letter.rule.language]
    whole = round(row.duration_s)
    return {
        "caller": _party(row.caller) or unknown,
        "callee": _party(row.callee) or unknown,
        "start": f"{row.started_at.astimezone():%Y-%m-%d %H:%M}",
        "length": f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}",
        "purpose": row.purpose,
        "recording": row.id,
        "letter": letter,
        "until": letter.link_until and f"{letter.link_until.astimezone():%Y-%m-%d %H:%M}",
    }


def _party(address: str | None) -> str | None:
    """On one line, whatever a client sent."""
    return address and " ".join(number(address).split())


def _attach(mail: EmailMessage, attachment: Attachment) -> None:
    main, sub = _TYPES.get(attachment.name.rpartition(".")[2], ("application", "octet-stream"))
    mail.add_attachment(attachment.content, maintype=main, subtype=sub, filename=attachment.name)


def _sealed(attachment: Attachment, rule: MailRule) -> Attachment:
    if not rule.age:
        return attachment
    try:
        keys = [pyrage.x25519.Recipient.from_str(key) for key in rule.age]
    except pyrage.RecipientError as error:
        raise NeedsPerson(f"[[mail.rule]] {rule.name}: age: {error}") from error
    return Attachment(f"{attachment.name}.age", pyrage.encrypt(attachment.content, keys))


def _enveloped(mail: EmailMessage, rule: MailRule) -> EmailMessage:
    """All of it as S/MIME enveloped data (RFC 8551)."""
    builder = pkcs7.PKCS7EnvelopeBuilder().set_data(mail.as_bytes()).set_content_encryption_algorithm(AES256)
    try:
        for path in rule.smime:
            builder = builder.add_recipient(x509.load_pem_x509_certificate(path.read_bytes()))
        sealed = builder.encrypt(Encoding.DER, [pkcs7.PKCS7Options.Binary])
    except (OSError, ValueError, TypeError) as error:
        raise NeedsPerson(f"[[mail.rule]] {rule.name}: smime: {error}") from error
    outer = EmailMessage(policy.SMTP)
    outer.set_content(sealed, maintype="application", subtype="pkcs7-mime", filename="smime.p7m")
    outer.set_param("smime-type", "enveloped-data")
    return outer
