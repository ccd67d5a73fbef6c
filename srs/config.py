"""Settings: a TOML file, and `SRS_…` in the environment, which wins.

The file is the one named (`--config`), else `$SRS_CONFIG`, else `./srs.toml`, else `/etc/siprec-srs/srs.toml`, else
none.
`docs/settings.md` lists every setting.
"""

import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from srs.sip.address import ListenAddress

PREFIX = "SRS_"
PLACES = (Path("srs.toml"), Path("/etc/siprec-srs/srs.toml"))


class SettingsError(Exception):
    """A setting that cannot be used; the message names the place, the key and what is allowed."""


def _items(value: object) -> object:
    """A list in the environment: JSON, or separated by commas."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except json.JSONDecodeError as error:
            raise ValueError(f"is not a JSON list: {error}") from None
    return [item.strip() for item in value.split(",") if item.strip()]


def _listen(url: str) -> str:
    try:
        address = ListenAddress.parse(url)
        ip_address(address.host)
    except ValueError:
        allowed = '"udp://0.0.0.0:5060", "tcp://0.0.0.0:5060", "tls://0.0.0.0:5061" or "udp://[::]:5060"'
        raise ValueError(f"must be like {allowed}") from None
    return str(address)


def _address(value: str) -> str:
    try:
        return str(ip_address(value))
    except ValueError:
        raise ValueError('must be an IPv4 or IPv6 address, such as "192.0.2.10"') from None


def _network(value: str) -> str:
    try:
        return str(ip_network(value))
    except ValueError:
        raise ValueError('must be a network such as "192.0.2.0/24" or "2001:db8::/32"') from None


def _ports(value: str) -> str:
    match = re.fullmatch(r"(\d{1,5})-(\d{1,5})", value)
    if match is None or not 1024 <= (first := int(match[1])) < (last := int(match[2])) <= 65535 or first % 2:
        raise ValueError('must be "FIRST-LAST" within 1024-65535, FIRST even, such as "16384-32766"')
    return f"{first}-{last}"


def parse_host_port(value: str) -> tuple[str, int]:
    """Address and port of `127.0.0.1:9464` or `[::1]:9464`."""
    host, _, port = value.rpartition(":")
    return str(ip_address(host.removeprefix("[").removesuffix("]"))), int(port)


def _host_port(value: str) -> str:
    try:
        if not 0 <= parse_host_port(value)[1] <= 65535:
            raise ValueError
    except ValueError:
        raise ValueError('must be an address and a port, such as "127.0.0.1:9464" or "[::1]:9464"') from None
    return value


Listen: TypeAlias = Annotated[str, AfterValidator(_listen)]
Address: TypeAlias = Annotated[str, AfterValidator(_address)]
Network: TypeAlias = Annotated[str, AfterValidator(_network)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SipSettings(_Section):
    listen: Annotated[list[Listen], BeforeValidator(_items), Field(min_length=1)] = Field(
        default=["udp://0.0.0.0:5060", "tcp://0.0.0.0:5060"],
        description="Where SIP is received: `udp://`, `tcp://` or `tls://`, an IPv4 or bracketed IPv6 address, a port.",
    )
    advertise: Address | None = Field(
        default=None,
        description="The address that Contact and SDP tell the client; without it the one the request came to.",
    )
    allow: Annotated[list[Network], BeforeValidator(_items)] = Field(
        default=[],
        description='Networks that may record here, such as `["192.0.2.0/24"]`; empty: everyone.',
    )
    drain_s: float = Field(
        default=60.0,
        ge=0,
        description="Seconds that running calls may take to end after SIGTERM; then the recorder ends them.",
    )
    silence_s: float = Field(
        default=600.0,
        ge=0,
        description="Seconds without a packet after which a client is asked (OPTIONS) whether its call still is; "
        "that of a client that is gone ends. 0: never.",
    )


class TlsSettings(_Section):
    certificate: Path | None = Field(
        default=None,
        description="The recorder's certificate for `tls://`, with those that lead to its authority, PEM. "
        "Read anew when it changes.",
    )
    key: Path | None = Field(default=None, description="The private key of the certificate, PEM.")
    authorities: Path | None = Field(
        default=None,
        description="Certificates of those who sign the clients', PEM; without it clients are not asked for one.",
    )
    clients: Literal["required", "optional"] = Field(
        default="required",
        description="With `authorities`: whether clients without certificate are turned away.",
    )


class PeerSettings(_Section):
    """A client, or several alike; see docs/settings.md."""

    name: str = Field(description="What it is called in logs and facts.")
    address: Annotated[list[Network], BeforeValidator(_items)] = Field(
        default=[], description="Networks it calls from; empty: any."
    )
    certificate: Annotated[list[str], BeforeValidator(_items)] = Field(
        default=[], description="Names, one of which is in its TLS certificate; empty: any, or no certificate."
    )
    from_uri: str = Field(default="*", description="Pattern of the URI in From, such as `sip:*@sbc.example.com*`.")
    recognition: Literal["relaxed", "strict", "plain"] = Field(
        default="relaxed",
        description="Which INVITEs are recorded: `strict` as RFC 7866 says, `relaxed` as clients do, `plain` all.",
    )
    require: Literal["none", "tls", "srtp"] = Field(
        default="none", description="Security it must use; `srtp` is with TLS."
    )
    user: str | None = Field(default=None, description="With `password`: it must know both (digest authentication).")
    password: SecretStr | None = Field(default=None, description="See `user`.")
    digests: Annotated[list[Literal["SHA-256", "MD5"]], BeforeValidator(_items), Field(min_length=1)] = Field(
        default=["SHA-256", "MD5"],
        description='For the password, in the order offered; `["MD5"]` for clients that look at the first one only.',
    )
    video: bool = Field(default=True, description="Whether video and text are accepted (and discarded), or refused.")
    purpose: str | None = Field(default=None, description="Why its calls are recorded; kept in the facts.")
    tags: Annotated[list[str], BeforeValidator(_items)] = Field(default=[], description="Kept in the facts.")


def _peers(value: object) -> object:
    """In the environment: JSON."""
    return json.loads(value) if isinstance(value, str) else value


class MediaSettings(_Section):
    address: Address | None = Field(
        default=None,
        description="The local address that RTP is received on; without it the one that SIP is received on.",
    )
    ports: Annotated[str, AfterValidator(_ports)] = Field(
        default="16384-32766",
        description="The UDP ports for RTP and RTCP, two for each stream; the first is even.",
    )
    workers: int = Field(
        default_factory=lambda: len(os.sched_getaffinity(0)),
        ge=1,
        le=256,
        description="Processes that receive RTP; without it one for each processor.",
    )

    @property
    def port_range(self) -> tuple[int, int]:
        """First and last port."""
        first, last = self.ports.split("-")
        return int(first), int(last)


class AudioSettings(_Section):
    format: Literal["wav", "flac", "mp3", "opus"] = Field(
        default="wav", description="The format recordings are kept in; `wav` and `flac` lose nothing."
    )
    channels: Literal["stereo", "mono"] = Field(
        default="stereo", description="`stereo`: each leg its own channel, the caller left; `mono`: legs mixed."
    )


class DatabaseSettings(_Section):
    url: str | None = Field(
        default=None,
        description="An SQLAlchemy URL; without it SQLite in `recordings.sqlite` of the data folder.",
    )


class StoreSettings(_Section):
    url: str | None = Field(
        default=None,
        description="Where sound is kept: `file:///…`, `s3://bucket/prefix`, `az://…`, `gs://…`; "
        "without it `audio` in the data folder.",
    )


class AdmissionSettings(_Section):
    calls: int | None = Field(
        default=None,
        ge=1,
        description="The most calls at once; without it as many as there are port pairs for.",
    )
    invites_per_s: float = Field(
        default=1000.0,
        gt=0,
        description="New calls that one client address may begin a second, over time; it may be twice as many at once.",
    )
    lag_s: float = Field(
        default=2.0,
        gt=0,
        description="Seconds that packets may wait for a capture worker beyond the usual half; beyond, no new calls.",
    )
    least_free_mb: int = Field(
        default=256,
        ge=1,
        description="Megabytes free on the disk of captures that are left to the calls under way: no new calls below.",
    )

    @property
    def least_free(self) -> int:
        """In octets."""
        return self.least_free_mb << 20


class RetentionSettings(_Section):
    when_full: Literal["refuse", "prune"] = Field(
        default="refuse",
        description="When the disk is full: `refuse` new calls, or `prune` the oldest recordings that are not held.",
    )


class AlarmSettings(_Section):
    no_audio_s: float = Field(
        default=10.0,
        ge=0,
        description="Seconds of a running call without any audio before an alarm is raised; 0: none.",
    )
    one_way_s: float = Field(
        default=30.0,
        ge=0,
        description="Seconds in which one leg is silent while another is heard before an alarm is raised; 0: none.",
    )


class MetricsSettings(_Section):
    listen: Annotated[str, AfterValidator(_host_port)] | None = Field(
        default=None,
        description="Where Prometheus may fetch metrics, such as `127.0.0.1:9464`; without it nowhere.",
    )

    @property
    def address(self) -> tuple[str, int] | None:
        """Address and port."""
        return parse_host_port(self.listen) if self.listen else None


def _default_data_dir() -> Path:
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
        default_factory=_default_data_dir,
        description="The folder for captures, sound and database; without it `siprec-srs` in `$XDG_DATA_HOME` "
        "or `~/.local/share`.",
    )
    sip: SipSettings = SipSettings()
    tls: TlsSettings = TlsSettings()
    peer: Annotated[list[PeerSettings], BeforeValidator(_peers)] = Field(
        default=[],
        description="`[[peer]]`, once for each kind of client; the first that fits holds, and with any who fits none "
        "is refused. See below.",
    )
    media: MediaSettings = Field(default_factory=MediaSettings)
    audio: AudioSettings = AudioSettings()
    database: DatabaseSettings = DatabaseSettings()
    store: StoreSettings = StoreSettings()
    admission: AdmissionSettings = AdmissionSettings()
    retention: RetentionSettings = RetentionSettings()
    alarms: AlarmSettings = AlarmSettings()
    metrics: MetricsSettings = MetricsSettings()

    @model_validator(mode="after")
    def _tls_has_files(self) -> "Settings":
        wanted = any(url.startswith("tls:") for url in self.sip.listen)
        if wanted and (self.tls.certificate is None or self.tls.key is None):
            raise ValueError("tls:// in [sip] listen needs [tls] certificate and key")
        return self

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


def find(config: Path | None = None) -> Path | None:
    """The settings file in use, if there is one."""
    named = config or (Path(os.environ["SRS_CONFIG"]) if os.environ.get("SRS_CONFIG") else None)
    return named or next((place for place in PLACES if place.is_file()), None)


def load(config: Path | None = None, data_dir: Path | None = None) -> Settings:
    """The settings of file and environment.

    Args:
        config: the file, instead of the places where it is looked for.
        data_dir: wins over file and environment.

    Raises:
        SettingsError: a file that cannot be read, an unknown key, a value that is not allowed.
    """
    path = find(config)
    document = _read(path) if path else {}
    if data_dir is not None:
        document["data_dir"] = data_dir
    try:
        settings = Settings(**document)
    except ValidationError as error:
        raise SettingsError("\n".join(_explain(detail, path) for detail in error.errors())) from error
    return settings if data_dir is None else settings.model_copy(update={"data_dir": data_dir.expanduser().absolute()})


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not valid TOML: {error}") from error


def _explain(detail: ErrorDetails, path: Path | None) -> str:
    names = [str(part) for part in detail["loc"] if isinstance(part, str) and part.isidentifier()][:2]
    if not names:
        return f"{path or 'environment'}: {detail['msg'].removeprefix('Value error, ')}"
    variable = _variable(names, os.environ)
    place = f"environment {variable}" if variable else f"{path}: {_toml_name(names)}"
    if detail["type"] == "extra_forbidden":
        return f"{place}: no such setting; {_known(names[:-1])}"
    if detail["type"] in ("model_type", "model_attributes_type"):
        return f"{place}: must be a section with settings, not {detail['input']!r}"
    return f"{place}: {detail['msg'].removeprefix('Value error, ')} (found {detail['input']!r})"


def _variable(names: list[str], environment: Mapping[str, str]) -> str | None:
    wanted = (PREFIX + "__".join(names)).upper()
    return next((name for name in environment if name.upper() == wanted), None)


def _toml_name(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"[{names[0]}] {names[1]}"


def _known(section: list[str]) -> str:
    model: type[BaseModel] = Settings
    for name in section:
        annotation = model.model_fields[name].annotation
        annotation = PeerSettings if name == "peer" else annotation
        assert isinstance(annotation, type)
        model = annotation
    return f"the settings {'of [' + section[0] + ']' if section else 'here'} are {', '.join(model.model_fields)}"


def names() -> Iterator[tuple[str, str]]:
    """Name (`sip.listen`) and meaning of each setting."""
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, _Section):
            for inner, inner_field in field.annotation.model_fields.items():
                yield f"{name}.{inner}", inner_field.description or ""
        else:
            yield name, field.description or ""


def origin(name: str, config: Path | None = None, data_dir: Path | None = None) -> str:
    """Where the value of a setting comes from: `environment SRS_…`, the file's name, `--data` or `default`."""
    parts = name.split(".")
    if name == "data_dir" and data_dir is not None:
        return "--data"
    if variable := _variable(parts, os.environ):
        return f"environment {variable}"
    path = find(config)
    value: Any = _read(path) if path else {}
    for part in parts:
        value = value.get(part) if isinstance(value, dict) else None
    return str(path) if value is not None else "default"
