"""Mutated dialogs through all that reads a client's words, as signalling and finalise do it.

python -m fuzz.dialogs [MINUTES]      from tests/, or: make fuzz MINUTES=30
"""

import random
import resource
import sys
import time
from contextlib import suppress

from fuzz.mutation import mutated, seeds

from srs.capture import peers
from srs.config import PeerSettings
from srs.sip.address import Address
from srs.sip.errors import SipError
from srs.sip.message import Request, parse, response
from srs.sip.session_timer import negotiate
from srs.siprec import body as bodies
from srs.siprec import session as reducer
from srs.siprec.answer import NotAcceptable, answer, offer
from srs.siprec.body import Body, UnsupportedPart
from srs.siprec.sdp import Sdp, SdpError
from srs.siprec.sdp import parse as parse_sdp
from srs.siprec.split import split

PROFILES = [PeerSettings(name=each, recognition=each) for each in ("strict", "relaxed", "plain")]
WARM_UP = 20_000
"""Inputs after which memory must stay as it is."""
MOST_GROWTH_KIB = 20 << 10
LONGEST_S = 2.0
"""Of CPU that one dialog may take."""


def run(seed: int) -> int:
    """Play one mutated dialog; returns how many messages it had. What the code is not made for comes out as it is."""
    chance = random.Random(seed)
    dialog = chance.choice(seeds_())
    session = reducer.new("fuzz@192.0.2.1")
    previous: Sdp | None = None
    for place, octets in enumerate(dialog):
        data = mutated(octets, chance) if chance.random() < 0.7 else octets
        try:
            request = parse(data)
        except SipError:
            continue
        session = reducer.apply(session, request, 2 * place)
        if isinstance(request, Request) and request.method in ("INVITE", "UPDATE"):
            made, previous = _answered(request, previous)
            session = reducer.apply(session, parse(bytes(made)), 2 * place + 1)
    for part in split(session):
        for stream, party in reducer.parties(part).items():
            assert stream.local is not None
            assert party.aor is None or isinstance(party.aor, str)
    return len(dialog)


_SEEDS: list[list[bytes]] = []


def seeds_() -> list[list[bytes]]:
    if not _SEEDS:
        _SEEDS.extend(seeds())
    return _SEEDS


def _answered(request: Request, previous: Sdp | None):
    """What the recorder would answer, and its description."""
    status, described = 200, previous
    try:
        negotiate(request)
        content = bodies.split(request.headers.get("Content-Type") or "", request.body)
        _recognised(request, content)
        described = _description(content, previous)
    except SipError as error:
        status = error.status
    except UnsupportedPart:
        status = 415
    except SdpError:
        status = 400
    except NotAcceptable:
        status = 488
    made = response(request, status, to_tag="srs")
    if status == 200 and described is not None:
        made.set_body("application/sdp", str(described).encode())
    return made, described


def _description(content: Body, previous: Sdp | None) -> Sdp:
    if content.sdp is None:
        return previous or offer([30000, 30002], address="192.0.2.2", session_id=1)
    offered = parse_sdp(content.sdp)
    ports = {place: 30000 + 2 * place for place in range(len(offered.media))}
    return answer(offered, ports, address="192.0.2.2", session_id=1, previous=previous)


def _recognised(request: Request, content: Body) -> None:
    for name in ("Contact", "P-Asserted-Identity"):
        for value in request.list(name):
            with suppress(SipError):
                Address.parse(value)
    for profile in PROFILES:
        peers.recognises(profile, request, content)


def resident_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main(minutes: float) -> None:
    """Until the time is over; a seed that fails is named, so that `run(seed)` fails again."""
    end, seed, messages, base = time.monotonic() + 60 * minutes, 0, 0, 0
    while time.monotonic() < end:
        begun = time.process_time()
        try:
            messages += run(seed)
        except Exception:
            sys.stderr.write(f"seed {seed} fails\n")
            raise
        took = time.process_time() - begun
        assert took < LONGEST_S, f"seed {seed} took {took:.1f} s"
        seed += 1
        if seed == WARM_UP:
            base = resident_kib()
    grown = resident_kib() - base if base else 0
    sys.stdout.write(f"{seed} dialogs, {messages} messages in {minutes} min, no finding; memory grew by {grown} KiB\n")
    assert grown < MOST_GROWTH_KIB, f"memory grew by {grown} KiB"


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 30.0)
