"""What values of settings look like: lists, addresses, networks, ports."""

import json
import re
from ipaddress import ip_address, ip_network
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict

from srs.sip.address import ListenAddress


def items(value: object) -> object:
    """A list in the environment: JSON, or separated by commas."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except json.JSONDecodeError as error:
            raise ValueError(f"is not a JSON list: {error}") from None
    return [item.strip() for item in value.split(",") if item.strip()]


def tables(value: object) -> object:
    """Tables in the environment: JSON."""
    return json.loads(value) if isinstance(value, str) else value


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


def check_ports(value: str) -> str:
    match = re.fullmatch(r"(\d{1,5})-(\d{1,5})", value)
    if match is None or not 1024 <= (first := int(match[1])) < (last := int(match[2])) <= 65535 or first % 2:
        raise ValueError('must be "FIRST-LAST" within 1024-65535, FIRST even, such as "16384-32766"')
    return f"{first}-{last}"


def parse_host_port(value: str) -> tuple[str, int]:
    """Address and port of `127.0.0.1:9464` or `[::1]:9464`."""
    host, _, port = value.rpartition(":")
    return str(ip_address(host.removeprefix("[").removesuffix("]"))), int(port)


def check_host_port(value: str) -> str:
    try:
        if not 0 <= parse_host_port(value)[1] <= 65535:
            raise ValueError
    except ValueError:
        raise ValueError('must be an address and a port, such as "127.0.0.1:9464" or "[::1]:9464"') from None
    return value


Listen: TypeAlias = Annotated[str, AfterValidator(_listen)]
Address: TypeAlias = Annotated[str, AfterValidator(_address)]
Network: TypeAlias = Annotated[str, AfterValidator(_network)]


class Section(BaseModel):
    """A table of the settings file."""

    model_config = ConfigDict(extra="forbid", frozen=True)
