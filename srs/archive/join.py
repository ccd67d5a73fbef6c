"""Two captures of one call, each with a side of it (Cisco Built-in-Bridge), as one recording on one clock."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rtp.codecs import Samples
from srs.archive import captures
from srs.archive import finalise as single
from srs.archive.facts import LegFacts, one_way
from srs.archive.finalise import LegSound, NoSession, Recording
from srs.archive.treatment import Treatment


def finalise(capture: Path, treatment: Treatment = single.AS_IT_CAME) -> Sequence[Recording]:
    """Make the recordings of a capture; with that of the other leg of the call, if there is one, a single recording.

    Raises:
        CaptureError: one of them is no capture.
        NoSession: there is no session with sound in any.
    """
    far = captures.far_side(capture)
    if not far.exists():
        return single.finalise(capture, treatment)
    found: list[Recording] = []
    for side in (capture, far):
        with suppress(NoSession):
            found += single.finalise(side, treatment)
    if not found:
        raise NoSession("no audio stream was accepted in either session of the call")
    return [join(found)]


def join(recordings: Sequence[Recording]) -> Recording:
    """One recording with the legs of all, in their order, from the first start to the last end.

    Legs that were offered and never used are left out, if there are others.
    """
    first = recordings[0]
    start_ns = min(each.started_ns for each in recordings)
    end_ns = max(each.ended_ns for each in recordings)
    legs = [_placed(leg, each.started_ns, start_ns, end_ns) for each in recordings for leg in each.legs]
    used = [leg for leg in legs if leg.facts.packets] or legs
    who = [*(leg.aor or leg.name for leg in used[:2]), None, None]
    return Recording(
        call_id=first.call_id,
        session_id=first.session_id,
        started_ns=start_ns,
        ended_ns=end_ns,
        interrupted=any(each.interrupted for each in recordings),
        legs=tuple(used),
        caller=who[0],
        callee=who[1],
        identifiers=tuple(dict.fromkeys(name for each in recordings for name in each.identifiers)),
        facts={
            **_facts(recordings, start_ns),
            "one_way": one_way([(each.label, each.facts) for each in used], (end_ns - start_ns) / 1e9),
        },
    )


def _placed(leg: LegSound, from_ns: int, start_ns: int, end_ns: int) -> LegSound:
    """A leg whose recording began at `from_ns`, on the clock of the whole."""
    late_s = (from_ns - start_ns) / 1e9
    length, before = (round(ns * leg.sample_rate / 1e9) for ns in (end_ns - start_ns, from_ns - start_ns))
    samples: Samples = np.zeros(length, np.int16)
    heard = leg.samples[: max(length - before, 0)]
    samples[before : before + len(heard)] = heard
    return replace(leg, samples=samples, facts=_later(leg.facts, late_s))


def _later(facts: LegFacts, by_s: float) -> LegFacts:
    return replace(
        facts,
        gaps=[(round(since + by_s, 6), length) for since, length in facts.gaps],
        pauses=[(round(since + by_s, 6), length) for since, length in facts.pauses],
        concealed=[(round(since + by_s, 6), length) for since, length in facts.concealed],
        digits=[(round(since + by_s, 6), length, key) for since, length, key in facts.digits],
    )


def _facts(recordings: Sequence[Recording], start_ns: int) -> dict[str, object]:
    """Lists one behind the other, counts added up; of other facts those of the first that has them."""
    together: dict[str, Any] = {}
    for each in recordings:
        by_s = (each.started_ns - start_ns) / 1e9
        for name, value in each.facts.items():
            known = together.get(name)
            value = _moved(name, value, by_s)
            together[name] = known + value if known and isinstance(value, list | int) else known or value
    together["call_ids"] = [each.call_id for each in recordings]
    return together


def _moved(name: str, value: Any, by_s: float) -> Any:  # noqa: ANN401 - facts are JSON
    """A fact with its times on the clock of the whole."""
    if name == "events":
        return [[round(at_s + by_s, 6), event] for at_s, event in value]
    if name == "documents":
        return [{**each, "at_s": round(each["at_s"] + by_s, 6)} for each in value]
    if name == "operator_pauses":
        return [[round(since_s + by_s, 6), length_s, who] for since_s, length_s, who in value]
    if name == "participants":
        times = ("from_s", "to_s")
        return [{**who, **{key: round(who[key] + by_s, 6) for key in times if who[key] is not None}} for who in value]
    return value
