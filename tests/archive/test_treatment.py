"""Losses filled or silent, digits told or masked: in whole calls."""

import struct

import numpy as np
import pytest
from support.archive import keep
from support.capture import MS, START_NS, Capture, packet
from support.encoders import Opus, opus_decoded

from rtp import pcap
from rtp.codecs import encode, mu_law
from srs.archive.blank import blank
from srs.archive.finalise import finalise
from srs.archive.keep import open_archive
from srs.archive.treatment import Treatment
from srs.config import AudioSettings, Settings

PLAIN = ("audio RTP/AVP 0 101", "rtpmap:101 telephone-event/8000")
OPUS = ("audio RTP/AVP 96", "rtpmap:96 opus/48000/2")
REDUNDANT = ("audio RTP/AVP 121 0", "rtpmap:121 red/8000", "fmtp:121 0/0")


def sound(rate):
    """Two seconds of a tone that rises and falls, in packets of 20 ms."""
    t = np.arange(2 * rate) / rate
    tone = sum(np.sin(2 * np.pi * 180 * harmonic * t) / harmonic for harmonic in range(1, 20))
    return np.rint(3000 * tone * (0.55 + 0.45 * np.sin(2 * np.pi * 3 * t))).astype(np.int16).reshape(100, -1)


def voice():
    return encode("PCMU", sound(8000))


def event(index, code, duration, *, end=False, start=0):
    header = struct.pack("!BBHII", 0x80, 101, index, start * 160, 7)
    return header + struct.pack("!BBH", code, end << 7 | 10, duration)


def test_losses_are_silence_or_sounded_over_and_told_exactly(tmp_path):
    codes, lost, capture = voice(), [20, 40, 41, 60, 61, 62, 63, 64, 90], Capture()
    capture.offer(0, PLAIN)
    for index in range(100):
        if index not in lost:
            capture.rtp(20 * index, 0, packet(index, codes[index].tobytes()))
    capture.bye(2000)
    path = capture.write(tmp_path / "1.pcap")
    (silent,), (concealed,) = finalise(path), finalise(path, Treatment(conceal=True))
    spans = [(0.4, 0.02), (0.8, 0.04), (1.2, 0.06), (1.8, 0.02)]
    assert (silent.legs[0].facts.concealed, concealed.legs[0].facts.concealed) == ([], spans)
    assert concealed.legs[0].facts.concealed_s == pytest.approx(0.14)
    assert silent.legs[0].facts.gaps == concealed.legs[0].facts.gaps
    filled = np.zeros(16_000, bool)
    for since, length in spans:
        filled[round(since * 8000) : round((since + length) * 8000)] = True
    before, after = silent.legs[0].samples, concealed.legs[0].samples
    np.testing.assert_array_equal(before[~filled], after[~filled])
    assert not before[filled].any()
    truth = mu_law()[codes].astype(float).ravel()
    for index in (20, 40, 90):
        assert np.corrcoef(after[160 * index :][:160], truth[160 * index :][:160])[0, 1] > 0.9


def test_nothing_is_sounded_over_in_a_pause(tmp_path):
    codes, capture = voice(), Capture()
    capture.offer(0, PLAIN)
    capture.offer(600, (*PLAIN, "inactive"))
    capture.offer(1000, PLAIN)
    for index in [*range(25), *range(50, 80), *range(81, 100)]:
        capture.rtp(20 * index, 0, packet(index, codes[index].tobytes()))
    capture.bye(2000)
    (recording,) = finalise(capture.write(tmp_path / "1.pcap"), Treatment(conceal=True))
    assert recording.legs[0].facts.concealed == [(1.6, 0.02)]
    assert recording.legs[0].facts.quality["loss"] == pytest.approx(1 / 75, abs=1e-6)
    assert not recording.legs[0].samples[8 * 600 : 8 * 1000].any()


def test_redundancy_fills_losses_and_they_are_told(tmp_path):
    codes, lost, capture = voice(), [0, 30, 50, 51], Capture()
    capture.offer(0, REDUNDANT)
    for index in range(100):
        if index not in lost:
            copy = codes[index - 1].tobytes() if index else b""
            head = struct.pack("!I", 1 << 31 | 160 << 10 | len(copy)) if index else b""
            capture.rtp(20 * index, 0, packet(index, head + b"\0" + copy + codes[index].tobytes(), 121))
    capture.bye(2000)
    (recording,) = finalise(capture.write(tmp_path / "1.pcap"))
    facts = recording.legs[0].facts
    truth = mu_law()[codes].astype(np.int16)
    truth[50] = 0
    np.testing.assert_array_equal(recording.legs[0].samples, truth.ravel())
    assert (facts.packets, facts.lost, facts.recovered, facts.undecoded) == (96, 4, 3, {})
    assert recording.legs[0].codec == "PCMU"


def opus(loss=0):
    encoder = Opus(24_000, Opus.VOICE, loss=loss)
    return [encoder.encode(part) for part in sound(48_000)]


def opus_call(tmp_path, packets, kept, *changes):
    """What is recorded of packets sent in a call that began with an offer of Opus and has others later."""
    capture = Capture()
    for ms, media in ((0, OPUS), *changes):
        capture.offer(ms, media)
    for index in kept:
        capture.rtp(20 * index, 0, packet(index, packets[index], 96, step=960))
    capture.bye(2000)
    path = capture.write(tmp_path / "1.pcap")
    (silent,), (concealed,) = finalise(path), finalise(path, Treatment(conceal=True))
    return silent.legs[0], concealed.legs[0]


def test_opus_sounds_losses_over_itself_and_they_are_told(tmp_path):
    packets, lost = opus(), [20, 40, 41, 60, 61, 62, 63, 64]
    silent, concealed = opus_call(tmp_path, packets, np.setdiff1d(np.arange(100), lost).tolist())
    theirs = opus_decoded([None if index in lost else octets for index, octets in enumerate(packets)], 960)
    spans = [(0.4, 0.02), (0.8, 0.04), (1.2, 0.06)]
    assert (silent.facts.concealed, concealed.facts.concealed) == ([], spans)
    assert (silent.facts.lost, silent.facts.recovered) == (8, 0)
    assert silent.facts.written_s == concealed.facts.written_s == pytest.approx(1.84)
    filled = np.zeros(96_000, bool)
    for since, length in spans:
        filled[round(since * 48_000) : round((since + length) * 48_000)] = True
    np.testing.assert_array_equal(silent.samples[~filled], concealed.samples[~filled])
    assert not silent.samples[filled].any()
    for index in (20, 40, 41, 60):
        part = slice(960 * index, 960 * (index + 1))
        assert np.corrcoef(concealed.samples[part], theirs[part])[0, 1] > 0.98


def test_a_copy_is_no_concealment(tmp_path):
    kept = [index for index in range(100) if index not in (20, 37, 38)]
    silent, concealed = opus_call(tmp_path, opus(loss=30), kept)
    assert (silent.facts.recovered, concealed.facts.recovered) == (2, 2)
    assert concealed.facts.concealed == [(0.74, 0.02)]
    for index, copied in ((20, True), (37, False), (38, True)):
        assert silent.samples[960 * index :][:960].any() == copied


def test_copies_of_what_was_said_in_a_pause_are_not_heard(tmp_path):
    """The first packet behind it repeats the last of it: in-band FEC, and RFC 2198."""
    kept = [*range(30), *range(50, 100)]
    changes = (600, (*OPUS, "inactive")), (1000, OPUS)
    assert opus_call(tmp_path, opus(loss=30), kept)[0].facts.recovered == 1
    for leg in opus_call(tmp_path, opus(loss=30), kept, *changes):
        assert leg.samples[48 * 1000 :].any()
        assert not leg.samples[48 * 610 : 48 * 1000].any()
        assert leg.facts.recovered == 0
    codes, capture = voice(), Capture()
    for ms, extra in ((0, ()), (600, ("inactive",)), (1000, ())):
        capture.offer(ms, (*REDUNDANT, *extra))
    for index in kept:
        head = struct.pack("!I", 1 << 31 | 160 << 10 | 160) + b"\0"
        capture.rtp(20 * index, 0, packet(index, head + codes[index - 1].tobytes() + codes[index].tobytes(), 121))
    capture.bye(2000)
    (recording,) = finalise(capture.write(tmp_path / "2.pcap"))
    assert recording.legs[0].samples[8 * 1000 :].any()
    assert not recording.legs[0].samples[8 * 610 : 8 * 1000].any()


@pytest.fixture
def dialled(tmp_path):
    """A capture in which `4` is pressed at 0.6 s for 100 ms, and the hook at 1.5 s; and the voice beside."""
    codes, capture = voice(), Capture()
    capture.offer(0, PLAIN, PLAIN)
    keys = {30 + step: (4, 30, 160 * (step + 1), step == 4) for step in range(5)}
    keys |= {75: (16, 75, 160, True)}
    for index in range(100):
        if index in keys:
            code, start, duration, end = keys[index]
            octets = event(index, code, duration, end=end, start=start)
        else:
            octets = packet(index, codes[index].tobytes())
        capture.rtp(20 * index, 0, octets)
        capture.rtp(20 * index, 1, packet(index, codes[index].tobytes()))
    capture.bye(2000)
    return capture.write(tmp_path / "1.pcap")


def test_masked_digits_are_neither_told_nor_heard(dialled):
    (open_,), (masked,) = finalise(dialled), finalise(dialled, Treatment(mask_digits=True))
    assert [key for *_, key in open_.legs[0].facts.digits] == ["4", "!"]
    assert [key for *_, key in masked.legs[0].facts.digits] == ["x", "!"]
    assert [times for *times, _ in masked.legs[0].facts.digits] == [times for *times, _ in open_.legs[0].facts.digits]
    since, length, _ = open_.legs[0].facts.digits[0]
    first, end = round((since - 0.1) * 8000), round((since + length + 0.1) * 8000)
    before, after = open_.legs[0].samples, masked.legs[0].samples
    assert before[first:end].any()
    assert not after[first:end].any()
    np.testing.assert_array_equal(np.delete(before, np.s_[first:end]), np.delete(after, np.s_[first:end]))
    np.testing.assert_array_equal(open_.legs[1].samples, masked.legs[1].samples)


def test_a_capture_is_blanked_around_a_digit(dialled):
    before = pcap.read(dialled)
    kept = [before.payload(row) for row in range(len(before))]
    begin = START_NS + 600 * MS
    blank(dialled, [(begin, begin + 100 * MS)])
    after = pcap.read(dialled)
    np.testing.assert_array_equal(before.time_ns, after.time_ns)
    for row, octets in enumerate(kept):
        near = begin - 500 * MS <= before.time_ns[row] <= begin + 100 * MS + 2500 * MS
        media = octets[0] >> 6 == 2
        wanted = octets[:12] + bytes(len(octets) - 12) if near and media else octets
        assert after.payload(row) == wanted
    assert finalise(dialled)[0].legs[0].facts.packets == 100


def test_what_is_kept_undecoded_tells_no_masked_digit(tmp_path):
    capture, data = Capture(), tmp_path / "data"
    capture.offer(0, ("audio RTP/AVP 97 101", "rtpmap:97 EVS/16000", "rtpmap:101 telephone-event/8000"))
    for index in range(300):
        octets = packet(index, b"undecoded", 97)
        capture.rtp(20 * index, 0, event(index, 4, 160, end=True, start=index) if index == 50 else octets)
    capture.bye(6000)
    ended = data / "captures" / "ended"
    ended.mkdir(parents=True)
    archive = open_archive(Settings(data_dir=data, audio=AudioSettings(mask_digits=True)))
    row = keep(archive, capture.write(ended / "a1.pcap"))
    archive.engine.dispose()
    assert [key for *_, key in row.legs[0].facts["digits"]] == ["x"]
    kept = pcap.read(data / "captures" / "kept" / "a1.pcap")
    payloads = [octets[12:] for row in range(len(kept)) if (octets := kept.payload(row))[0] >> 6 == 2]
    assert len(payloads) == 300
    assert not any(payloads[50])
    assert payloads[0] == payloads[299] == b"undecoded"
