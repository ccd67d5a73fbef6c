"""What the settings want done to sound that is told otherwise in the packets: losses filled, digits masked."""

from dataclasses import dataclass, replace

from rtp.events import NAMES
from srs.archive.facts import Digit, LegFacts
from srs.archive.legs import Sound

MARGIN_S = 0.1
"""Before and after a key, in which its tone may be heard too."""
MASKED = "x"
_KEYS = frozenset(NAMES[:16])


@dataclass(frozen=True, slots=True)
class Treatment:
    """As in `[audio]`."""

    conceal: bool = False
    mask_digits: bool = False


def masked(sound: Sound, facts: LegFacts) -> tuple[Sound, LegFacts]:
    """Return a leg that does not tell which keys were pressed: it is silent meanwhile, and the facts say `x`."""
    samples = sound.samples.copy()
    for since_s, length_s, name in facts.digits:
        if name in _KEYS:
            first, end = (round(at_s * sound.rate) for at_s in (since_s - MARGIN_S, since_s + length_s + MARGIN_S))
            samples[max(first, 0) : max(end, 0)] = 0
    return replace(sound, samples=samples), replace(facts, digits=list(map(_masked, facts.digits)))


def _masked(digit: Digit) -> Digit:
    since_s, length_s, name = digit
    return since_s, length_s, MASKED if name in _KEYS else name
