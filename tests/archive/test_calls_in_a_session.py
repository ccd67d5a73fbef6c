"""Recording sessions that carry several calls, or calls that change, through finalise: which sound is in which."""

import numpy as np
from support.scene import AUDIO, HELD, MS, START_NS, Scene, speech, stream

from rtp.codecs import mu_law
from srs.archive.finalise import finalise

NS = "urn:ietf:params:xml:ns:recording:1"
LABELS = ("1", "2", "3")


def document(*calls, mode="complete", more=""):
    """Metadata of calls: (id, {party: label or None})."""
    parts = [f'<recording xmlns="{NS}"><datamode>{mode}</datamode>{more}']
    for key, people in calls:
        parts.append(f'<session session_id="{key}"/>')
        for name, label in people.items():
            sends = f"<send>{key}-{label}</send>" if label else ""
            parts.append(
                f'<participant participant_id="{name}"><nameID aor="sip:{name}@example.com"/></participant>'
                f'<participantsessionassoc participant_id="{name}" session_id="{key}"/>'
                f'<participantstreamassoc participant_id="{name}">{sends}</participantstreamassoc>'
            )
            if label:
                parts.append(f'<stream stream_id="{key}-{label}" session_id="{key}"><label>{label}</label></stream>')
    return ("".join(parts) + "</recording>").encode()


def stopped(key):
    return document(
        more=f'<session session_id="{key}"><stop-time>2026-11-27T10:00:00Z</stop-time></session>', mode="partial"
    )


def talk(scene, leg, codes, at_ms, sequence=100):
    """Let a leg send codes of G.711 from a time on."""
    first = stream(codes, sequence=sequence, timestamp=sequence * 160, ssrc=7 + leg)
    for index, datagram in enumerate(first):
        scene.rtp(at_ms + 20 * index, leg, datagram)


def sound(codes):
    return mu_law()[codes].astype(np.int16).reshape(-1)


def at(leg, from_ms, count):
    """So many packets of a leg from a time of its recording on."""
    return leg.samples[8 * from_ms : 8 * from_ms + 160 * count]


def test_two_calls_one_after_another_each_have_their_own_sound(tmp_path):
    """A persistent session: a call of 2 s, a pause of 1 s, a call of 1.5 s."""
    scene, codes = Scene(), [speech(2, 1), speech(2, 2), speech(1, 3), speech(1, 4)]
    scene.offer(0, HELD, HELD)
    scene.offer(1000, AUDIO, AUDIO, metadata=document(("cs1", {"ann": "1", "agent": "2"})))
    for leg in (0, 1):
        talk(scene, leg, codes[leg], 1000)
    scene.offer(3000, HELD, HELD, metadata=stopped("cs1"))
    scene.offer(4000, AUDIO, AUDIO, metadata=document(("cs2", {"agent": "2", "bob": "1"}), mode="partial"))
    for leg in (0, 1):
        talk(scene, leg, codes[2 + leg], 4500, sequence=300)
    scene.bye(5500)
    one, other = finalise(scene.write(tmp_path / "1.pcap"))
    assert [(each.started_ns - START_NS) // MS for each in (one, other)] == [1000, 4000]
    assert [(each.ended_ns - START_NS) // MS for each in (one, other)] == [3000, 5500]
    assert [each.session_id for each in (one, other)] == ["cs1", "cs2"]
    assert (one.caller, one.callee) == ("sip:ann@example.com", "sip:agent@example.com")
    assert (other.caller, other.callee) == ("sip:agent@example.com", "sip:bob@example.com")
    assert [one.call_id, other.call_id] == ["1@example.com"] * 2
    for leg, own in zip(one.legs, codes[:2], strict=True):
        assert (leg.facts.packets, leg.facts.lost) == (100, 0)
        assert np.array_equal(at(leg, 0, 100), sound(own))
    for leg, own in zip(other.legs, (codes[3], codes[2]), strict=True):  # the agent is named first
        assert (leg.facts.packets, leg.facts.lost) == (50, 0)
        assert not at(leg, 0, 25).any()
        assert np.array_equal(at(leg, 500, 50), sound(own))
    assert one.facts["other_datagrams"] == other.facts["other_datagrams"] == 0


def test_what_comes_between_two_calls_is_counted_and_not_heard(tmp_path):
    scene, codes = Scene(), speech(4, 1)
    scene.offer(0, AUDIO, AUDIO, metadata=document(("cs1", {"ann": "1", "agent": "2"})))
    talk(scene, 0, codes, 5)
    scene.offer(1000, AUDIO, AUDIO, metadata=stopped("cs1"))
    scene.offer(3000, AUDIO, AUDIO, metadata=document(("cs2", {"bob": "1", "agent": "2"}), mode="partial"))
    scene.bye(4100)
    one, other = finalise(scene.write(tmp_path / "1.pcap"))
    assert [leg.facts.packets for leg in (one.legs[0], other.legs[0])] == [50, 50]
    assert one.legs[0].facts.after_end == 100
    assert np.array_equal(at(one.legs[0], 5, 49), sound(codes[:49]))
    assert np.array_equal(at(other.legs[0], 5, 50), sound(codes[150:]))


def test_a_hold_is_silence_and_says_so(tmp_path):
    scene, codes = Scene(), speech(3, 1)
    scene.offer(0, AUDIO, AUDIO, metadata=document(("cs1", {"ann": "1", "bob": "2"})))
    talk(scene, 0, codes, 0)
    scene.offer(1000, HELD, AUDIO, metadata=document(("cs1", {"ann": None, "bob": "2"})))
    scene.offer(2000, AUDIO, AUDIO, metadata=document(("cs1", {"ann": "1", "bob": "2"})))
    scene.bye(3000)
    (recording,) = finalise(scene.write(tmp_path / "1.pcap"))
    leg = recording.legs[0]
    assert leg.facts.pauses == [(1.0, 1.0)]
    assert np.array_equal(at(leg, 0, 50), sound(codes[:50]))
    assert not at(leg, 1000, 50).any()
    assert np.array_equal(at(leg, 2000, 50), sound(codes[100:]))
    spoke = [(each["aor"], each["from_s"], each["to_s"]) for each in recording.facts["participants"]]
    assert spoke == [
        ("sip:ann@example.com", 0.0, 1.0),
        ("sip:bob@example.com", 0.0, 3.0),
        ("sip:ann@example.com", 2.0, 3.0),
    ]


def test_a_transfer_is_one_recording_that_tells_who_spoke_when(tmp_path):
    scene = Scene()
    scene.offer(0, AUDIO, AUDIO, metadata=document(("cs1", {"ann": "1", "bob": "2"})))
    scene.offer(2000, AUDIO, AUDIO, metadata=document(("cs1", {"ann": "1", "carol": "2"})))
    scene.bye(3000)
    (recording,) = finalise(scene.write(tmp_path / "1.pcap"))
    spoke = [(each["aor"], each["label"], each["from_s"], each["to_s"]) for each in recording.facts["participants"]]
    assert spoke == [
        ("sip:ann@example.com", "1", 0.0, 3.0),
        ("sip:bob@example.com", "2", 0.0, 2.0),
        ("sip:carol@example.com", "2", 2.0, 3.0),
    ]


def test_a_third_party_has_a_channel_of_its_own(tmp_path):
    """A conference: the third leg comes with a re-INVITE 1 s later."""
    scene, codes = Scene(), [speech(2, 1), speech(2, 2), speech(1, 3)]
    scene.offer(0, AUDIO, AUDIO, metadata=document(("cs1", {"ann": "1", "bob": "2"})))
    everybody = document(("cs1", {"ann": "1", "bob": "2", "carol": "3"}))
    scene.offer(1000, AUDIO, AUDIO, AUDIO, metadata=everybody)
    for leg, at_ms in enumerate((0, 0, 1000)):
        talk(scene, leg, codes[leg], at_ms)
    scene.bye(2000)
    (recording,) = finalise(scene.write(tmp_path / "1.pcap"))
    assert [leg.aor for leg in recording.legs] == [f"sip:{name}@example.com" for name in ("ann", "bob", "carol")]
    for leg, own, at_ms in zip(recording.legs, codes, (0, 0, 1000), strict=True):
        assert np.array_equal(at(leg, at_ms, len(own)), sound(own))
        assert not leg.samples[: 8 * at_ms].any()


def test_two_calls_at_once_share_the_line_of_who_is_in_both(tmp_path):
    """Line 1 is the trader, who talks to ann on line 2 and to bob on line 3; ann leaves first."""
    scene, codes = Scene(), [speech(3, seed) for seed in range(3)]
    both = f"""<recording xmlns="{NS}"><session session_id="a"/><session session_id="b"/>
      <participant participant_id="trader"/><participant participant_id="ann"/><participant participant_id="bob"/>
      <stream stream_id="t"><label>1</label></stream>
      <stream stream_id="sa" session_id="a"><label>2</label></stream>
      <stream stream_id="sb" session_id="b"><label>3</label></stream>
      <participantsessionassoc participant_id="trader" session_id="a"/>
      <participantsessionassoc participant_id="trader" session_id="b"/>
      <participantsessionassoc participant_id="ann" session_id="a"/>
      <participantsessionassoc participant_id="bob" session_id="b"/>
      <participantstreamassoc participant_id="trader"><send>t</send></participantstreamassoc>
      <participantstreamassoc participant_id="ann"><send>sa</send></participantstreamassoc>
      <participantstreamassoc participant_id="bob"><send>sb</send></participantstreamassoc></recording>"""
    scene.offer(0, AUDIO, AUDIO, AUDIO, metadata=both.encode())
    for leg in range(3):
        talk(scene, leg, codes[leg], 0)
    scene.offer(1990, AUDIO, AUDIO, AUDIO, metadata=stopped("a"))
    scene.bye(3000)
    one, other = finalise(scene.write(tmp_path / "1.pcap"))
    assert [(each.ended_ns - START_NS) // MS for each in (one, other)] == [2000, 3000]
    assert [[leg.label for leg in each.legs] for each in (one, other)] == [["1", "2"], ["1", "3"]]
    for leg, own in zip(one.legs, codes[:2], strict=True):
        assert np.array_equal(at(leg, 0, 100), sound(own[:100]))
    for leg, own in zip(other.legs, (codes[0], codes[2]), strict=True):
        assert np.array_equal(at(leg, 0, 150), sound(own))
