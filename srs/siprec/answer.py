"""What the recorder answers to an offer, and what it offers itself when there is none (RFC 3264, RFC 7866 §7.2, §8).

It takes every stream it has a port for and never sends. Every payload type that is offered is answered: some clients
end the session when one is missing, and what cannot be decoded can still be kept. SRTP is taken with keys in the offer.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from secrets import token_bytes

from rtp.codecs import STATIC, Codec
from srs.siprec import sdes
from srs.siprec.sdp import Attribute, MediaLine, Sdp, network

_PLAIN = frozenset({"RTP/AVP", "RTP/AVPF"})
OFFERED = (STATIC[0], STATIC[8], Codec(101, "TELEPHONE-EVENT", 8000, fmtp="0-15"))
"""What we offer: that which can be decoded, and digits."""


class NotAcceptable(ValueError):
    """Nothing in the offer can be recorded: to be answered with 488 (RFC 3261 §21.4.26)."""


def answer(
    offered: Sdp,
    ports: Mapping[int, int],
    *,
    address: str,
    session_id: int,
    previous: Sdp | None,
    random: Callable[[int], bytes] = token_bytes,
) -> Sdp:
    """The answer to an offer: every m-line in its place, those that are refused or removed with port 0.

    Args:
        ports: index of an m-line to the local RTP port that waits for it; lines without one are refused.
        address: IPv4 or IPv6, where the client shall send to.
        session_id: of our o= line; its version grows by 1 when the answer differs from `previous`.
        previous: our last answer or offer in this dialog; None: this is the first.
        random: gives so many octets for a key of ours.

    Raises:
        NotAcceptable: streams are offered and none is taken; in a first offer also: no stream is offered.
    """
    before = dict(enumerate(previous.media if previous else ()))
    media = tuple(
        _answer_line(line, ports.get(index, 0), address, _key(line, before.get(index), random))
        for index, line in enumerate(offered.media)
    )
    wanted = previous is None or any(line.port for line in offered.media)
    if wanted and not any(line.port for line in media):
        raise NotAcceptable("no stream of the offer can be recorded")
    return _described(media, address, session_id, previous)


def offer(ports: Sequence[int], *, address: str, session_id: int, previous: Sdp | None = None) -> Sdp:
    """Our offer in the 200 to an INVITE that has none (RFC 3261 §13.3.1): a recvonly audio line for each port."""
    attributes = (*_explained(OFFERED), ("recvonly", None))
    formats = tuple(str(codec.payload_type) for codec in OFFERED)
    media = tuple(MediaLine("audio", port, "RTP/AVP", formats, address, attributes) for port in ports)
    return _described(media, address, session_id, previous)


def _key(line: MediaLine, previous: MediaLine | None, random: Callable[[int], bytes]) -> sdes.Crypto | None:
    """What is answered to an SRTP line; None: nothing can be, or it is none."""
    return sdes.answered(line, previous, random) if line.port and sdes.is_secure(line) else None


def _answer_line(line: MediaLine, port: int, address: str, crypto: sdes.Crypto | None) -> MediaLine:
    received = line.transport in _PLAIN or crypto is not None
    taken = received and line.port != 0 and port != 0 and bool(line.formats)
    label: tuple[Attribute, ...] = (("label", line.label),) if line.label else ()
    keys: tuple[Attribute, ...] = (("crypto", str(crypto)),) if crypto else ()
    direction: Attribute = ("recvonly" if taken and line.sends else "inactive", None)
    return MediaLine(
        kind=line.kind,
        port=port if taken else 0,
        transport=line.transport,
        formats=line.formats or ("0",),  # RFC 8866 §5.14 demands one
        address=address,
        attributes=((*_codec_attributes(line), *label, *keys, direction) if taken else label),
    )


def _codec_attributes(line: MediaLine) -> tuple[Attribute, ...]:
    """For each payload type rtpmap and fmtp in the offer's own words; a static one without rtpmap is given one."""
    told: dict[str, list[Attribute]] = {}
    for name, value in line.attributes:
        if value and name.lower() in ("rtpmap", "fmtp"):
            told.setdefault(value.split()[0], []).append((name, value))
    static = {str(codec.payload_type): replace(codec, fmtp="") for codec in line.codecs}
    found: list[Attribute] = []
    for number in dict.fromkeys(line.formats):
        own = told.get(number, [])
        if number in static and not any(name.lower() == "rtpmap" for name, _ in own):
            found += _explained([static[number]])
        found += own
    return tuple(found)


def _explained(codecs: Sequence[Codec]) -> tuple[Attribute, ...]:
    found: list[Attribute] = []
    for codec in codecs:
        name = codec.name.lower() if codec.name == "TELEPHONE-EVENT" else codec.name
        channels = f"/{codec.channels}" if codec.channels > 1 else ""
        found.append(("rtpmap", f"{codec.payload_type} {name}/{codec.clock_rate}{channels}"))
        if codec.fmtp:
            found.append(("fmtp", f"{codec.payload_type} {codec.fmtp}"))
    return tuple(found)


def _described(media: tuple[MediaLine, ...], address: str, session_id: int, previous: Sdp | None) -> Sdp:
    """Our description of the session, with the version of the o= line that RFC 3264 §8 asks for."""
    version = 1 if previous is None else previous.version or 0
    described = Sdp(media, _origin(session_id, version, address), address=address, others=("t=0 0",))
    if previous is None or described == previous:
        return described
    return replace(described, origin=_origin(session_id, version + 1, address))


def _origin(session_id: int, version: int, address: str) -> str:
    return f"srs {session_id} {version} IN {network(address)} {address}"
