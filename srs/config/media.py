"""Packets and sound: `[media]`, `[audio]`, `[admission]`."""

import os
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from srs.config.values import Address, Section, check_ports


class MediaSettings(Section):
    address: Address | None = Field(
        default=None,
        description="The local address that RTP is received on; without it the one that SIP is received on.",
    )
    ports: Annotated[str, AfterValidator(check_ports)] = Field(
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


class AudioSettings(Section):
    format: Literal["wav", "flac", "mp3", "opus"] = Field(
        default="wav", description="The format recordings are kept in; `wav` and `flac` lose nothing."
    )
    channels: Literal["stereo", "mono"] = Field(
        default="stereo", description="`stereo`: each leg its own channel, the caller left; `mono`: legs mixed."
    )
    losses: Literal["silence", "conceal"] = Field(
        default="silence",
        description="What lost packets sound like: `silence`, or `conceal`: sounded over for at most 60 ms; "
        "the facts list where.",
    )
    mask_digits: bool = Field(
        default=False,
        description="Whether keys pressed (RFC 4733) are `x` in the facts and their time silent in the leg's sound, "
        "as for card numbers.",
    )


class AdmissionSettings(Section):
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
