"""What `srs doctor` looks at in the machine: disk, ports, limits, clock. Each finding says how to mend it."""

import ctypes
import errno
import os
import resource
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from srs.capture.priority import prefer_recording
from srs.sip.address import ListenAddress

LEAST_FREE = 1 << 30
TRIAL = 32 << 20
"""Octets written to measure the disk."""
TRIAL_PART = bytes(1 << 20)
DISK_PER_CALL = 60_000
"""Octets a second of a call of two G.711 legs: 22,000 of capture, 32,000 of WAV, something for the rest."""
ENOUGH_CALLS = 200
DESCRIPTORS_PER_CALL = 5
WANTED_RMEM = 4 << 20
HELD_PER_CALL = 2 * 50 * 5 * 2304
"""Octets that the kernel takes for 5 s of two legs of 20 ms packets, in the largest of usual buffers."""
UDP_MEM = Path("/proc/sys/net/ipv4/udp_mem")
RMEM_MAX = Path("/proc/sys/net/core/rmem_max")
EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
TIMEX_OCTETS = 256
"""More than struct timex has; all zero, it asks and changes nothing (adjtimex(2))."""
TIME_ERROR = 5


@dataclass(frozen=True, slots=True)
class Finding:
    level: str
    """`ok`, `note`, or `stop` for what keeps the recorder from recording."""
    what: str
    mend: str = ""


def check_data_dir(folder: Path) -> Iterator[Finding]:
    """Whether captures can be written, and for how long."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        yield Finding("stop", f"data folder {folder}: {error.strerror}", "choose another data_dir or make it")
        return
    if not os.access(folder, os.W_OK | os.X_OK):
        yield Finding("stop", f"data folder {folder} is not writable", f"chown it to the user {os.geteuid()}")
        return
    free = shutil.disk_usage(folder).free
    what = f"data folder {folder}: {free / 1e9:.1f} GB free"
    yield Finding("ok", what) if free >= LEAST_FREE else Finding("stop", what, "make room, or choose another data_dir")
    if free >= LEAST_FREE:
        yield check_disk_speed(folder, measure_disk(folder))


def measure_disk(folder: Path) -> float:
    """Write a file and have it reach the disk; octets a second.

    Raises:
        OSError: the disk does not take it.
    """
    with tempfile.TemporaryFile(dir=folder) as file:
        began = time.perf_counter()
        for _ in range(TRIAL // len(TRIAL_PART)):
            file.write(TRIAL_PART)
        file.flush()
        os.fsync(file.fileno())
        return TRIAL / (time.perf_counter() - began)


def check_disk_speed(folder: Path, octets_per_s: float) -> Finding:
    """Captures are written while calls run, and read and written once more as sound."""
    calls = int(octets_per_s / DISK_PER_CALL)
    what = f"data folder {folder}: {octets_per_s / 1e6:.0f} MB/s to the disk, enough for {calls} calls at once"
    if calls >= ENOUGH_CALLS:
        return Finding("ok", what)
    return Finding("note", what, "for more calls at once, put data_dir on a faster disk, and on no network share")


def check_port(address: ListenAddress) -> Finding:
    """Whether a SIP address can be bound; in use may well be the running recorder."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    kind = socket.SOCK_DGRAM if address.transport == "UDP" else socket.SOCK_STREAM
    with socket.socket(family, kind) as probe:
        if kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            probe.bind(address.address)
        except OSError as error:
            return _not_bound(address, error)
    return Finding("ok", f"{address}: free")


def _not_bound(address: ListenAddress, error: OSError) -> Finding:
    if error.errno == errno.EADDRINUSE:
        see = f"if that is not the recorder itself: ss -lnp 'sport = :{address.port}'"
        return Finding("note", f"{address}: in use", see)
    mend = "give [sip] listen an address of this host" if error.errno == errno.EADDRNOTAVAIL else "see [sip] listen"
    return Finding("stop", f"{address}: {error.strerror}", mend)


def check_descriptors(ports: tuple[int, int], limit: int) -> Finding:
    """A call of two legs takes four sockets and its capture."""
    if limit == resource.RLIM_INFINITY:
        return Finding("ok", "descriptors: no limit")
    calls, by_ports = limit // DESCRIPTORS_PER_CALL, (ports[1] + 1 - ports[0]) // 4
    what = f"descriptors: {limit}, enough for {calls} calls; [media] ports for {by_ports}"
    if calls >= by_ports:
        return Finding("ok", what)
    wanted = by_ports * DESCRIPTORS_PER_CALL + 1000
    return Finding("note", what, f"for as many calls: ulimit -n {wanted}, or LimitNOFILE={wanted} in the systemd unit")


def check_priority() -> Finding:
    """Whether the processes that record can go before others; tried with this process, which then is as it was."""
    prefer_recording()
    if os.sched_getscheduler(0) == os.SCHED_RR:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        return Finding("ok", "priority: recording goes before all else on this host")
    mend = "ulimit -r 1, or LimitRTPRIO=1 in the systemd unit: calls are answered sooner on a busy host"
    return Finding("note", "priority: recording waits for other work on this host", mend)


def check_receive_buffer(rmem_max: int, *, privileged: bool) -> Finding:
    """Of a socket; it holds what comes while the recorder is busy. Root is not bound by the limit."""
    what = f"net.core.rmem_max: {rmem_max}"
    if privileged or rmem_max >= WANTED_RMEM:
        return Finding("ok", what)
    return Finding("note", what, f"against losses under load: sysctl -w net.core.rmem_max={WANTED_RMEM}")


def check_udp_memory(pages: list[int], calls: int) -> Finding:
    """What the sockets of all calls hold together while the recorder, or its disk, is busy.

    Args:
        pages: net.ipv4.udp_mem.
        calls: at once, as many as the settings allow.
    """
    page = resource.getpagesize()
    held = pages[-1] * page // HELD_PER_CALL
    what = f"net.ipv4.udp_mem: {pages[-1] * page // 1_000_000} MB, 5 s of {held} calls at least"
    if held >= calls:
        return Finding("ok", what)
    wanted = -(-calls * HELD_PER_CALL // page)
    mend = f"for {calls} calls: sysctl -w net.ipv4.udp_mem='{wanted // 2} {wanted * 3 // 4} {wanted}'"
    return Finding("note", f"{what}; the settings allow {calls}", mend)


def ephemeral_ports() -> tuple[int, int]:
    """From which the system gives ports to whoever names none."""
    first, last = EPHEMERAL.read_text().split()
    return int(first), int(last)


def check_media_ports(ports: tuple[int, int], ephemeral: tuple[int, int]) -> Finding:
    """A port that some program was given by chance is passed over, but firewalls and clients know only ours."""
    pairs = (ports[1] + 1 - ports[0]) // 2
    what = f"[media] ports {ports[0]}-{ports[1]}: {pairs} streams"
    if ports[1] < ephemeral[0] or ports[0] > ephemeral[1]:
        return Finding("ok", what)
    mend = f"sysctl -w net.ipv4.ip_local_reserved_ports={ports[0]}-{ports[1]}, or [media] ports below {ephemeral[0]}"
    return Finding("note", f"{what}, in the range that any program may get ports from", mend)


def is_clock_synchronised() -> bool:
    """What the kernel was told by chrony, systemd-timesyncd or ntpd."""
    return int(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(TIMEX_OCTETS))) != TIME_ERROR


def check_clock(*, synchronised: bool) -> Finding:
    """Recordings bear the time of this clock, and legs are laid side by side by it."""
    if synchronised:
        return Finding("ok", "clock: synchronised")
    return Finding("note", "clock: not synchronised", "apt-get install chrony, or timedatectl set-ntp true")
