import pytest

from srs.capture.liveness import Liveness, Move
from srs.sip.message import make_request, response
from srs.sip.session_timer import SessionTimer

SILENCE_S = 600.0
THEIRS = SessionTimer(1800, ours=False, told=True)
OURS = SessionTimer(1800, ours=True, told=True)


def reply(method, code, *headers):
    made = response(make_request(method, "sip:src@127.0.0.1", [("CSeq", f"2 {method}")]), code)
    for name, value in headers:
        made.headers.set(name, value)
    return made


def moves(state, *looks):
    """The moves at (time, size of the capture)."""
    found = []
    for now, size in looks:
        state, move = state.looked(size, now, SILENCE_S)
        found.append(move)
    return state, found


def test_sound_keeps_a_session_alive():
    _, found = moves(Liveness(0, 0), (500, 1000), (1000, 2000), (1500, 3000))
    assert found == [Move.WAIT] * 3


def test_a_silent_client_is_asked_once():
    _, found = moves(Liveness(0, 0), (599, 0), (600, 0), (700, 0))
    assert found == [Move.WAIT, Move.ASK, Move.WAIT]


def test_who_does_not_answer_is_gone():
    state, _ = moves(Liveness(0, 0), (600, 0))
    assert state.answered(None, 0, 632)[1]


def test_no_answer_proves_nothing_while_sound_comes():
    state, _ = moves(Liveness(0, 0), (600, 0))
    state, gone = state.answered(None, 5000, 632)
    assert not gone
    assert not state.asked


@pytest.mark.parametrize(("code", "gone"), [(200, False), (405, False), (501, False), (408, False), (481, True)])
def test_what_an_answer_says(code, gone):
    state, _ = moves(Liveness(0, 0), (600, 0))
    assert state.answered(reply("OPTIONS", code), 0, 601)[1] is gone


def test_the_question_is_asked_again_after_another_silence():
    state, _ = moves(Liveness(0, 0), (600, 0))
    state, _ = state.answered(reply("OPTIONS", 405), 0, 601)
    assert moves(state, (1200, 0), (1201, 0))[1] == [Move.WAIT, Move.ASK]


def test_never_asked_with_0():
    assert Liveness(0, 0).looked(0, 1e6, 0)[1] is Move.WAIT


def test_a_session_that_is_not_refreshed_ends():
    state = Liveness(0, 0).agreed(THEIRS, 100)
    _, found = moves(state, (1867, 1), (1868, 2))
    assert found == [Move.WAIT, Move.EXPIRED]


def test_a_refresh_begins_the_interval_anew():
    state = Liveness(0, 0).agreed(THEIRS, 100).agreed(THEIRS, 1000)
    assert moves(state, (2767, 1), (2768, 2))[1] == [Move.WAIT, Move.EXPIRED]


def test_a_refresh_without_session_expires_ends_the_timer():
    state = Liveness(0, 0).agreed(THEIRS, 100).agreed(None, 1000)
    assert moves(state, (9000, 1))[1] == [Move.WAIT]


def test_we_refresh_when_asked_to():
    state = Liveness(0, 0).agreed(OURS, 0)
    state, found = moves(state, (899, 1), (900, 2), (910, 3))
    assert found == [Move.WAIT, Move.REFRESH, Move.WAIT]
    state, gone = state.answered(reply("UPDATE", 200, ("Session-Expires", "600;refresher=uac")), 3, 911)
    assert not gone
    assert moves(state, (1210, 4), (1211, 5))[1] == [Move.WAIT, Move.REFRESH]


def test_an_answer_to_a_question_is_no_refresh():
    state = Liveness(0, 0).agreed(THEIRS, 0)
    state, move = state.looked(0, 700, SILENCE_S)
    assert move is Move.ASK
    state, _ = state.answered(reply("OPTIONS", 200), 0, 701)
    assert moves(state, (1768, 1))[1] == [Move.EXPIRED]
