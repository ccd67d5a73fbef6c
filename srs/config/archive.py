"""Where recordings are kept and how long: `[database]`, `[store]`, `[retention]`."""

from typing import Literal

from pydantic import Field

from srs.config.values import Section


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


class RetentionSettings(Section):
    when_full: Literal["refuse", "prune"] = Field(
        default="refuse",
        description="When the disk is full: `refuse` new calls, or `prune` the oldest recordings that are not held.",
    )
