import pytest

from srs.capture.quality import Limits, Verdict, audible, judge
from srs.siprec.sdp import parse

LIMITS = Limits(no_audio_s=10, one_way_s=30)


@pytest.mark.parametrize("silences", [[], [0, 0], [9.9, 29.9], [9.9], [0, 29.9, 0]])
def test_calls_that_are_heard(silences: list[float]) -> None:
    assert judge(silences, LIMITS) == Verdict()


@pytest.mark.parametrize("silences", [[10], [10, 100], [31, 31]])
def test_no_audio(silences: list[float]) -> None:
    verdict = judge(silences, LIMITS)
    assert verdict.no_audio
    assert not verdict.one_way


def test_one_way_audio() -> None:
    assert judge([0, 30], LIMITS) == Verdict(one_way="1 of 2 streams silent for 30 s")
    assert judge([99, 0, 30], LIMITS) == Verdict(one_way="2 of 3 streams silent for 30 s")


def test_limits_of_0_bear_any_silence() -> None:
    assert judge([1e6, 1e6], Limits(0, 30)) == Verdict()
    assert judge([1e6, 0], Limits(10, 0)) == Verdict()


def test_which_ports_are_to_be_heard() -> None:
    answer = (
        b"v=0\nm=audio 16384 RTP/AVP 0\na=recvonly\nm=audio 16386 RTP/AVP 0\na=inactive\n"
        b"m=audio 0 RTP/AVP 0\nm=video 16388 RTP/AVP 96\na=recvonly\nm=audio 16390 RTP/AVP 0\na=recvonly\n"
    )
    assert audible(parse(answer)) == [16384, 16390]
    assert audible(None) == []
