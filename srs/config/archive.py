"""Where recordings are kept and how they are signed: `[database]`, `[store]`, `[metadata]`, `[vcon]`."""

import socket
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from srs.config.values import Section, items


class DatabaseSettings(Section):
    url: str | None = Field(
        default=None,
        description="An SQLAlchemy URL; without it SQLite in `recordings.sqlite` of the data folder.",
    )


class StoreSettings(Section):
    url: str | None = Field(
        default=None,
        description="Where sound is kept: `file:///…`, `s3://bucket/prefix`, `az://…`, `gs://…`; "
        "without it `audio` in the data folder.",
    )


class NodeSettings(Section):
    id: str = Field(
        default_factory=socket.gethostname,
        min_length=1,
        max_length=128,
        description="The name of this recorder among those that share an archive; without it the host's.",
    )


class MetadataSettings(Section):
    keep: Annotated[list[Literal["names", "identifiers", "headers", "documents"]], BeforeValidator(items)] = Field(
        default=["names", "identifiers", "headers", "documents"],
        description="What is kept of the words of clients beside addresses and times: `names` of parties, "
        "`identifiers` by which other systems know the call, `headers` (`X-…` of the INVITE, names of extensions), "
        "`documents` (the metadata as they came).",
    )


class VconSettings(Section):
    key: Path | None = Field(
        default=None, description="With `certificate`: vCon exports are signed with this private key, RSA or EC, PEM."
    )
    certificate: Path | None = Field(
        default=None, description="The certificate of the key, with those that lead to its authority, PEM."
    )

    @property
    def signer(self) -> tuple[Path, Path] | None:
        """Files of key and certificate."""
        return (self.key, self.certificate) if self.key and self.certificate else None
