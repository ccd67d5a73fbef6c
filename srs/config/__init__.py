"""Settings: a TOML file, and `SRS_…` in the environment, which wins.

The file is the one named (`--config`), else `$SRS_CONFIG`, else `./srs.toml`, else `/etc/siprec-srs/srs.toml`, else
none.
`docs/settings.md` lists every setting.
"""

from srs.config.archive import DatabaseSettings, StoreSettings
from srs.config.handoff import RetentionSettings, TaskSettings
from srs.config.loading import SettingsError, find, load, names, origin, origins
from srs.config.media import AdmissionSettings, AudioSettings, MediaSettings
from srs.config.settings import Settings
from srs.config.sip import PeerSettings, SipSettings, TlsSettings
from srs.config.watching import AlarmSettings, MetricsSettings
from srs.config.web import WebSettings

__all__ = [
    "AdmissionSettings",
    "AlarmSettings",
    "AudioSettings",
    "DatabaseSettings",
    "MediaSettings",
    "MetricsSettings",
    "PeerSettings",
    "RetentionSettings",
    "Settings",
    "SettingsError",
    "SipSettings",
    "StoreSettings",
    "TaskSettings",
    "TlsSettings",
    "WebSettings",
    "find",
    "load",
    "names",
    "origin",
    "origins",
]
