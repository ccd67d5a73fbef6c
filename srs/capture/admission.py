"""May this INVITE be recorded, and can it be kept? Decided before a 200 is sent."""

import ipaddress
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

LEAST_FREE_OCTETS = 256 << 20
"""A disk with less than this takes no new calls: what is free belongs to the calls under way."""
RETRY_AFTER_S = 10


@dataclass(frozen=True, slots=True)
class Refusal(Exception):
    """Why a call is not taken."""

    status: int
    reason: str
    retry_after_s: int | None = None

    def __str__(self) -> str:
        return f"{self.status} {self.reason}"


def check_source(address: str, allow: list[str]) -> None:
    """
    Raises:
        Refusal: `allow` is not empty and has no network with this address.
    """
    if allow and not any(_within(address, network) for network in allow):
        raise Refusal(403, f"{address} is not in [sip] allow")


@lru_cache(maxsize=4096)
def _within(address: str, network: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]) in ipaddress.ip_network(network)


def check_disk(directory: Path) -> None:
    """
    Raises:
        Refusal: there is no room for another call.
    """
    try:
        disk = os.statvfs(directory)
    except OSError as error:
        raise Refusal(503, f"cannot record: {directory}: {error.strerror}", RETRY_AFTER_S) from error
    if disk.f_bavail * disk.f_frsize < LEAST_FREE_OCTETS:
        raise Refusal(503, "cannot record: disk full", RETRY_AFTER_S)
