"""Who may record here and how: `[sip]`, `[tls]`, `[[peer]]`."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr

from srs.config.values import Address, Listen, Network, Section, items


class SipSettings(Section):
    listen: Annotated[list[Listen], BeforeValidator(items), Field(min_length=1)] = Field(
        default=["udp://0.0.0.0:5060", "tcp://0.0.0.0:5060"],
        description="Where SIP is received: `udp://`, `tcp://` or `tls://`, an IPv4 or bracketed IPv6 address, a port.",
    )
    advertise: Address | None = Field(
        default=None,
        description="The address that Contact and SDP tell the client; without it the one the request came to.",
    )
    allow: Annotated[list[Network], BeforeValidator(items)] = Field(
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


class TlsSettings(Section):
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


class PeerSettings(Section):
    """A client, or several alike; see docs/settings.md."""

    name: str = Field(description="What it is called in logs and facts.")
    address: Annotated[list[Network], BeforeValidator(items)] = Field(
        default=[], description="Networks it calls from; empty: any."
    )
    certificate: Annotated[list[str], BeforeValidator(items)] = Field(
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
    keys_in_clear: bool = Field(
        default=False,
        description="Whether SRTP keys are taken over SIP without TLS too, where whoever sees the SIP can read them.",
    )
    user: str | None = Field(default=None, description="With `password`: it must know both (digest authentication).")
    password: SecretStr | None = Field(default=None, description="See `user`.")
    digests: Annotated[list[Literal["SHA-256", "MD5"]], BeforeValidator(items), Field(min_length=1)] = Field(
        default=["SHA-256", "MD5"],
        description='For the password, in the order offered; `["MD5"]` for clients that look at the first one only.',
    )
    video: bool = Field(default=True, description="Whether video and text are accepted (and discarded), or refused.")
    purpose: str | None = Field(default=None, description="Why its calls are recorded; kept in the facts.")
    tags: Annotated[list[str], BeforeValidator(items)] = Field(default=[], description="Kept in the facts.")
