"""Who may do what, and what is kept of what they did: `[access]`, `[oidc]`, `[audit]`."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from srs.config.privacy import ExpandedPath
from srs.config.values import Section, items, tables

RoleName = Literal["administrator", "supervisor", "employee", "investigator", "privacy officer", "auditor"]
RightName = Literal["list", "play", "listen", "download", "mail", "delete", "hold"]


class AccessSettings(Section):
    second_factor: Annotated[list[RoleName], BeforeValidator(items)] = Field(
        default=[],
        description="Roles whose bearers need a second factor to sign in with a password; who has none yet gets no "
        "further than making one.",
    )
    one_time_hours: float = Field(
        default=72.0,
        gt=0,
        description="Hours that a password made by somebody else is good for a first sign-in, also the one that the "
        "log shows.",
    )


class OidcRole(Section):
    """Who is in a group at the provider has a role here."""

    group: str = Field(min_length=1, description="As the provider calls it.")
    role: RoleName = Field(description="The role here.")
    groups: Annotated[list[str], BeforeValidator(items)] = Field(
        default=[], description="Of these `[[group]]`s only, where the role can be for groups."
    )
    excluded: Annotated[list[str], BeforeValidator(items)] = Field(
        default=[], description="Patterns of persons whose calls it does not reach."
    )
    rights: Annotated[list[RightName] | None, BeforeValidator(items)] = Field(
        default=None, description="On recordings; without it as usual for the role."
    )


class OidcSettings(Section):
    issuer: str | None = Field(
        default=None,
        description="Address of the OpenID provider, without `/.well-known/…`; without it nobody signs in by one.",
    )
    client_id: str | None = Field(default=None, description="What the provider calls this recorder.")
    client_secret: SecretStr | None = Field(default=None, description="What the provider knows it by, if it wants one.")
    client_secret_file: Path | None = Field(default=None, description="A file with that secret, instead.")
    authorities: Path | None = Field(
        default=None, description="Who may sign the provider's certificate, PEM; without it the usual ones."
    )
    url: str | None = Field(
        default=None,
        description="The pages as browsers reach them, `https://recorder.example.com`, where that is another address "
        "than they ask for; the provider sends browsers back to `/sign-in/oidc/back` there.",
    )
    label: str = Field(default="OpenID", description="What the button for signing in calls the provider.")
    scopes: Annotated[list[str], BeforeValidator(items)] = Field(
        default=["openid", "profile", "email"], description="What is asked of the provider; `openid` must be among it."
    )
    name_claim: str = Field(default="preferred_username", description="The claim that is the user's name here.")
    group_claim: str = Field(default="groups", description="The claim with the user's groups.")
    create: bool = Field(
        default=False, description="Whether who has no user yet gets one at the first sign-in; it may do nothing."
    )
    role: Annotated[list[OidcRole], BeforeValidator(tables)] = Field(
        default=[],
        description="`[[oidc.role]]`: `role`, with `groups`, `excluded`, `rights`, of who is in `group` at the "
        "provider. A role that is named here is nobody else's who signs in there. See privacy.md.",
    )

    @model_validator(mode="after")
    def _usable(self) -> "OidcSettings":
        if self.issuer is None:
            return self
        local = self.issuer.startswith(("http://127.0.0.1", "http://[::1]", "http://localhost"))
        if not self.issuer.startswith("https://") and not local:
            raise ValueError("issuer must begin with https://: what it says of people must not be changed on its way")
        if not self.client_id:
            raise ValueError("issuer needs client_id")
        if self.client_secret and self.client_secret_file:
            raise ValueError("client_secret and client_secret_file are two of one: give one")
        return self

    @property
    def secret(self) -> str | None:
        """What the provider knows the recorder by.

        Raises:
            OSError: the file cannot be read.
        """
        if self.client_secret_file is not None:
            return self.client_secret_file.read_text().strip()
        return self.client_secret.get_secret_value() if self.client_secret else None


class AuditSettings(Section):
    checkpoint_dir: ExpandedPath | None = Field(
        default=None,
        description="Another folder for the audit's signed checkpoints, best on another machine; they are always in "
        "`audit` of the data folder too.",
    )
