"""Calls for the recorder to take: 20 ms G.711 RTP to many ports at once, from a process of its own.

    echo PORT PORT … | python -m benchmarks.traffic SECONDS

prints how many packets left and by how much the last ones were late, in seconds.
"""

import ctypes
import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rtp.batch import MESSAGE, PIECE
from rtp.codecs import encode
from srs.capture.priority import prefer_recording

HOST = "127.0.0.1"
PACKET_S = 0.02
OCTETS = 160
"""Of a payload."""
TONES = 61
"""Frequencies, 50 Hz apart."""
SLICES = 10
"""Parts of the streams that send one after the other within a packet time."""
_RTP = np.dtype(
    [
        ("flags", "u1"),
        ("type", "u1"),
        ("sequence", ">u2"),
        ("timestamp", ">u4"),
        ("ssrc", ">u4"),
        ("payload", "u1", OCTETS),
    ]
)
_NAME = np.dtype([("family", "u2"), ("port", ">u2"), ("address", "V4"), ("zero", "V8")])

_sendmmsg = ctypes.CDLL(None, use_errno=True).sendmmsg
_sendmmsg.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int)


def start(ports: Sequence[int], seconds: float) -> "subprocess.Popen[str]":
    """Begin to send one stream to each port; `sent` tells how it went."""
    command = [sys.executable, "-m", "benchmarks.traffic", str(seconds)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin
    process.stdin.write(" ".join(map(str, ports)))
    process.stdin.close()
    return process


def sent(process: "subprocess.Popen[str]") -> tuple[int, float]:
    """Return the packets that a process of `start`, which has ended, sent; and by how much it was late at worst."""
    assert process.stdout
    with process.stdout:
        packets, late_s = process.stdout.read().split()
    return int(packets), float(late_s)


def frame(stream: int) -> NDArray[np.uint8]:
    """Return what all packets of a stream carry: whole periods of a tone that differs from its neighbours', as PCMU."""
    frequency = 200 + 50 * (stream % TONES)
    wave = np.cos(2 * np.pi * frequency * np.arange(OCTETS) / 8000)
    return encode("PCMU", np.rint(10_000 * wave).astype(np.int16))


def _streams(ports: Sequence[int]) -> NDArray[np.void]:
    packets = np.zeros(len(ports), _RTP)
    packets["flags"], packets["ssrc"] = 0x80, np.arange(len(ports)) + 1
    packets["payload"] = [frame(stream) for stream in range(len(ports))]
    return packets


def _addresses(array: NDArray[np.void]) -> NDArray[np.int64]:
    return array.ctypes.data + np.arange(len(array)) * array.itemsize


def _send(ports: Sequence[int], seconds: float) -> tuple[int, float]:
    packets, names = _streams(ports), np.zeros(len(ports), _NAME)
    pieces, messages = np.zeros(len(ports), PIECE), np.zeros(len(ports), MESSAGE)
    names["family"], names["port"] = socket.AF_INET, ports
    names["address"] = np.void(socket.inet_aton(HOST))
    pieces["base"], pieces["size"] = _addresses(packets), packets.itemsize
    messages["name"], messages["name_size"] = _addresses(names), names.itemsize
    messages["targets"], messages["target_count"] = _addresses(pieces), 1
    bounds = [round(i * len(ports) / SLICES) for i in range(SLICES + 1)]
    count, latest, begin = 0, 0.0, time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        for turn in range(round(seconds / PACKET_S) * SLICES):
            wait = begin + turn * PACKET_S / SLICES - time.monotonic()
            time.sleep(max(wait, 0.0))
            latest = max(latest, -wait)
            first, end = bounds[turn % SLICES], bounds[turn % SLICES + 1]
            while first < end:
                done = _sendmmsg(out.fileno(), messages.ctypes.data + first * MESSAGE.itemsize, end - first, 0)
                if done < 0:
                    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
                first, count = first + done, count + done
            mine = packets[bounds[turn % SLICES] : end]
            mine["sequence"] += 1
            mine["timestamp"] += OCTETS
    return count, latest


if __name__ == "__main__":
    prefer_recording()  # a telephone does not stand still because tests run beside it
    print(*_send([int(port) for port in sys.stdin.read().split()], float(sys.argv[1])))
