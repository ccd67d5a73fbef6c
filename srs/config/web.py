"""Where the pages and the API are served: `[web]`."""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from srs.config.values import Section

_WANTED = 'must be like "https://127.0.0.1:8443", or "http://127.0.0.1:8080" on loopback, or "off"'


def _listen(url: str) -> str:
    if url == "off":
        return url
    try:
        parts = urlsplit(url)
        host, port = ip_address(parts.hostname or ""), parts.port
    except ValueError:
        raise ValueError(_WANTED) from None
    if parts.scheme not in ("http", "https") or port is None or parts.path not in ("", "/"):
        raise ValueError(_WANTED)
    if parts.scheme == "http" and not host.is_loopback:
        raise ValueError("http:// would send passwords and calls in the clear: only on loopback, else https://")
    return url.rstrip("/")


def _off(value: object) -> object:
    return "off" if value == "" else value


class WebSettings(Section):
    listen: Annotated[str, BeforeValidator(_off), AfterValidator(_listen)] = Field(
        default="https://127.0.0.1:8443",
        description="Where the pages are served: `https://ADDRESS:PORT`; `http://` on loopback only; `off`: nowhere.",
    )
    certificate: Path | None = Field(
        default=None,
        description="Certificate of the pages, with those that lead to its authority, PEM; without it one is made and "
        "signed by itself, in `web` of the data folder.",
    )
    key: Path | None = Field(default=None, description="The private key of that certificate, PEM.")

    requests_per_s: float = Field(
        default=20.0,
        gt=0,
        description="Requests a second of one address, and of one token, over time; ten times as many at once.",
    )

    @model_validator(mode="after")
    def _both(self) -> "WebSettings":
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key belong together: give both or none")
        return self

    @property
    def address(self) -> tuple[str, int] | None:
        """Address and port; None: nothing is served."""
        if self.listen == "off":
            return None
        parts = urlsplit(self.listen)
        return parts.hostname or "", parts.port or 0

    @property
    def secure(self) -> bool:
        """Whether by TLS."""
        return self.listen.startswith("https:")
