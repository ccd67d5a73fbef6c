"""What a payload type means, its payloads as samples, and how long they sound.

Each encoding has a `Format`: G.711 by table, L16 as it is, the rest by the decoders of FFmpeg and libopus. A decoder
has a memory, so all payloads of one sender and codec are decoded in one go, in order of play.
"""

from rtp.codecs.codec import MOST_CONCEALED_S, NOT_AUDIO, STATIC, Codec, Decoded, Integers, Octets, Payloads, Samples
from rtp.codecs.formats import find
from rtp.codecs.g711 import a_law, encode, mu_law

__all__ = [
    "MOST_CONCEALED_S",
    "NOT_AUDIO",
    "STATIC",
    "Codec",
    "Decoded",
    "Octets",
    "Samples",
    "a_law",
    "decodable",
    "decode",
    "encode",
    "mu_law",
    "ticks",
]


def decodable(codec: Codec) -> bool:
    """Tell whether there is a decoder."""
    return find(codec) is not None


def decode(
    codec: Codec, data: Octets, start: Integers, length: Integers, lost: Integers | None = None
) -> Decoded | None:
    """Decode packets of one sender, given in order of play by where their payloads lie in `data`.

    Args:
        lost: how long the sound is that was lost right before each, in ticks of the RTP clock; None: nothing was.

    Returns:
        None: there is no decoder for this encoding, or not for these parameters of it.
    """
    known = find(codec)
    return known.decode(Payloads(data, start, length, start * 0 if lost is None else lost)) if known else None


def ticks(codec: Codec, data: Octets, start: Integers, length: Integers) -> Integers:
    """Return how long payloads sound, in ticks of the RTP clock; 0: the payload does not tell."""
    known = find(codec)
    return known.ticks(Payloads(data, start, length, start * 0)) if known else start * 0
