"""Who a call came from, as the capture tells."""

from srs.archive.peer import Peer, peer_of


def test_the_note_of_signalling() -> None:
    events = [(0.0, "kernel-drops;port=1;count=2"), (0.1, "peer;name=My%3BSBC;purpose=quality;tag=a;tag=b%3Dc")]
    assert peer_of({"events": events}) == Peer("My;SBC", "quality", ("a", "b=c"))


def test_no_note() -> None:
    assert peer_of({"events": []}) == peer_of({}) == Peer()
