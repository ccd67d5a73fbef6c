"""Recordings by mail: `[mail]`, `[[mail.server]]`, `[[mail.rule]]`."""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from srs.config.rules import Match
from srs.config.values import Section, items, tables

Format = Literal["wav", "flac", "mp3", "opus"]


def _recipient(value: str) -> str:
    if value == "{group}" or re.fullmatch(r'[^\s<>,;"@]+@[^\s<>,;"@]+', value):
        return value
    raise ValueError('must be an address, "{group}", or such as "{extension}@example.com"')


Recipient = Annotated[str, AfterValidator(_recipient)]


class MailServer(Section):
    """A relay that takes mail."""

    host: str = Field(min_length=1, description="Its name or address.")
    port: int = Field(default=587, ge=1, le=65535, description="Its port.")
    tls: Literal["starttls", "tls", "none"] = Field(default="starttls", description="`tls`: from the first octet on.")
    verify: bool = Field(default=True, description="Whether its certificate must be good.")
    authorities: Path | None = Field(default=None, description="Who may sign it, PEM; without it those of the system.")
    auth: Literal["plain", "login", "xoauth2"] = Field(default="plain", description="How `user` is proven.")
    user: str | None = Field(default=None, description="Without it nobody signs in.")
    password: SecretStr | None = Field(default=None, description="For `plain` and `login`.")
    token_file: Path | None = Field(
        default=None, description="For `xoauth2`: where another program keeps the current access token."
    )
    timeout_s: float = Field(default=60.0, gt=0, description="Seconds it may take to answer.")


class MailRule(Section):
    """Which recordings are mailed to whom, and how."""

    name: str = Field(min_length=1, max_length=64, description="What tasks and receipts call it.")
    match: Match = Field(default=Match(), description="Which recordings it is for.")
    to: Annotated[list[Recipient], BeforeValidator(items), Field(min_length=1)] = Field(
        description="Addresses; `{extension}`, `{caller}`, `{callee}` in them stand for numbers, `{group}` for those "
        "who lead the groups of the call."
    )
    format: Format = Field(default="mp3", description="Of the attachment.")
    language: Literal["nl", "en"] = Field(default="en", description="Of the text.")
    max_mb: float = Field(default=20.0, gt=0.1, description="Megabytes of a mail, if the server takes as many.")
    too_large: Literal["smaller", "split", "link"] = Field(
        default="smaller", description="What becomes of a larger one: a smaller format, several mails, or a link."
    )
    link_days: float = Field(default=14.0, gt=0, description="So long the link can be used.")
    delete_after: bool = Field(
        default=False, description="Deleted from the recorder when every recipient's server has accepted it."
    )
    age: Annotated[list[str], BeforeValidator(items)] = Field(
        default=[], description="Public keys (`age1…`) that the attachment is sealed for."
    )
    smime: Annotated[list[Path], BeforeValidator(items)] = Field(
        default=[], description="Certificates, PEM, that the whole mail is encrypted for."
    )


class MailSettings(Section):
    sender: str | None = Field(default=None, description="The address that mail comes from.")
    admin: Annotated[list[Recipient], BeforeValidator(items)] = Field(
        default=[], description="Who is told of mail that a server refused."
    )
    server: Annotated[list[MailServer], BeforeValidator(tables)] = Field(
        default=[],
        description="`[[mail.server]]`, once for each relay; the next is tried when one fails. See operations.md.",
    )
    rule: Annotated[list[MailRule], BeforeValidator(tables)] = Field(
        default=[], description="`[[mail.rule]]`: which recordings are mailed to whom. See operations.md."
    )
    per_minute: float = Field(
        default=60.0, gt=0, description="The most mails a minute, of all recorders that share the archive together."
    )
    link_url: str | None = Field(
        default=None,
        description="The recorder's pages as recipients of links reach them: `https://recorder.example.com`.",
    )
