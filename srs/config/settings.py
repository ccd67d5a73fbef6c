"""All settings, one field a table of the file. `srs.config.load` makes them."""

import os
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from srs.config.access import AccessSettings, AuditSettings, OidcSettings
from srs.config.archive import DatabaseSettings, MetadataSettings, NodeSettings, StoreSettings, VconSettings
from srs.config.cases import CasesSettings
from srs.config.handoff import HandoffSettings, RetentionSettings, TaskSettings
from srs.config.mail import MailSettings
from srs.config.media import AdmissionSettings, AudioSettings, MediaSettings
from srs.config.privacy import PrivacySettings, PurposeRuleSettings, PurposeSettings, StaffNoticeSettings, check
from srs.config.reconcile import ReconcileSettings
from srs.config.rules import GroupSettings, NumbersSettings
from srs.config.sip import PeerSettings, SipSettings, TlsSettings
from srs.config.values import tables
from srs.config.watching import AlarmSettings, MetricsSettings
from srs.config.web import WebSettings

PREFIX = "SRS_"


def usual_data_dir() -> Path:
    """Where nothing is set."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "siprec-srs"


class Settings(BaseSettings):
    """All settings. `load` makes them."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        enable_decoding=False,
        extra="forbid",
        frozen=True,
    )

    data_dir: Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())] = Field(
        default_factory=usual_data_dir,
        description="The folder for captures, sound and database; without it `siprec-srs` in `$XDG_DATA_HOME` "
        "or `~/.local/share`.",
    )
    sip: SipSettings = SipSettings()
    tls: TlsSettings = TlsSettings()
    peer: Annotated[list[PeerSettings], BeforeValidator(tables)] = Field(
        default=[],
        description="`[[peer]]`, once for each kind of client; the first that fits holds, and with any who fits none "
        "is refused. See below.",
    )
    media: MediaSettings = Field(default_factory=MediaSettings)
    audio: AudioSettings = AudioSettings()
    database: DatabaseSettings = DatabaseSettings()
    store: StoreSettings = StoreSettings()
    metadata: MetadataSettings = MetadataSettings()
    admission: AdmissionSettings = AdmissionSettings()
    retention: RetentionSettings = RetentionSettings()
    reconcile: ReconcileSettings = ReconcileSettings()
    node: NodeSettings = Field(default_factory=NodeSettings)
    vcon: VconSettings = VconSettings()
    mail: MailSettings = MailSettings()
    handoff: Annotated[list[HandoffSettings], BeforeValidator(tables)] = Field(
        default=[],
        description="`[[handoff]]`, once for each module that recordings are handed to: `name`, `module`, `match`, "
        "`order`, `on_failure`, `options`. See modules.md.",
    )
    tasks: TaskSettings = TaskSettings()
    numbers: NumbersSettings = NumbersSettings()
    group: Annotated[list[GroupSettings], BeforeValidator(tables)] = Field(
        default=[],
        description="`[[group]]`, once for each group of extensions: `name`, `extensions` (patterns), "
        "`mail` (of those who lead it). See rules.md.",
    )
    purpose: Annotated[list[PurposeSettings], BeforeValidator(tables)] = Field(
        default=[],
        description="`[[purpose]]`, once for each purpose of one's own, or in place of a built-in one. See privacy.md.",
    )
    purpose_rule: Annotated[list[PurposeRuleSettings], BeforeValidator(tables)] = Field(
        default=[],
        description="`[[purpose_rule]]`: `purpose` of the recordings that `match`; the first that fits holds. "
        "See privacy.md.",
    )
    staff_notice: Annotated[list[StaffNoticeSettings], BeforeValidator(tables)] = Field(
        default=[],
        description="`[[staff_notice]]`, once for each rule: `name`, `period`, `group`, `language`; employees are "
        "mailed how often they were recorded. See privacy.md.",
    )
    privacy: PrivacySettings = PrivacySettings()
    access: AccessSettings = AccessSettings()
    oidc: OidcSettings = OidcSettings()
    cases: CasesSettings = CasesSettings()
    audit: AuditSettings = AuditSettings()
    alarms: AlarmSettings = AlarmSettings()
    metrics: MetricsSettings = MetricsSettings()
    web: WebSettings = WebSettings()

    @model_validator(mode="after")
    def _tls_has_files(self) -> "Settings":
        wanted = any(url.startswith("tls:") for url in self.sip.listen)
        if wanted and (self.tls.certificate is None or self.tls.key is None):
            raise ValueError("tls:// in [sip] listen needs [tls] certificate and key")
        return self

    @model_validator(mode="after")
    def _purposes_fit(self) -> "Settings":
        check(self.purpose, self.purpose_rule)
        return self

    @property
    def keys_dir(self) -> Path:
        return self.privacy.keys or self.data_dir / "keys"

    @property
    def database_url(self) -> str:
        return self.database.url or f"sqlite:///{self.data_dir / 'recordings.sqlite'}"

    @property
    def store_url(self) -> str:
        return self.store.url or (self.data_dir / "audio").as_uri()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, init_settings
