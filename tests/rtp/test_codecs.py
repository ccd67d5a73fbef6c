"""G.711 against ffmpeg and sox, and the entry points of the decoders."""

import shutil
import subprocess

import numpy as np
import pytest

from rtp.codecs import STATIC, Codec, a_law, decode, encode, mu_law, ticks

TABLES = {"PCMU": mu_law, "PCMA": a_law}
ALL_CODES = np.arange(256, dtype=np.uint8)
ALL_SAMPLES = np.arange(-32768, 32768, dtype=np.int32).astype(np.int16)


def run(program: str, *arguments: str, octets: bytes) -> bytes:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    return subprocess.run([program, *arguments], input=octets, capture_output=True, check=True).stdout


def decode_one(codec: Codec, octets: bytes):
    data = np.frombuffer(octets, np.uint8)
    return decode(codec, data, np.array([0]), np.array([len(octets)]))


def lengths(codec: Codec, octets: list[int]) -> list[int]:
    return ticks(codec, np.zeros(1000, np.uint8), np.arange(len(octets)), np.array(octets)).tolist()


@pytest.mark.parametrize(("name", "form"), [("PCMU", "mulaw"), ("PCMA", "alaw")])
def test_all_codes_decode_as_in_ffmpeg(name, form):
    ours = TABLES[name]()
    theirs = run("ffmpeg", "-f", form, "-i", "-", "-f", "s16le", "-", octets=ALL_CODES.tobytes())
    np.testing.assert_array_equal(ours, np.frombuffer(theirs, "<i2"))


@pytest.mark.parametrize(("name", "form"), [("PCMU", "ul"), ("PCMA", "al")])
def test_all_codes_decode_as_in_sox(name, form):
    raw = ["-t", form, "-r", "8000", "-c", "1", "-", "-t", "raw", "-e", "signed", "-b", "16", "-L", "-"]
    theirs = run("sox", "-D", *raw, octets=ALL_CODES.tobytes())
    np.testing.assert_array_equal(TABLES[name](), np.frombuffer(theirs, "<i2"))


def test_mu_law_values_of_the_standard():
    table = mu_law()
    assert table[[0x00, 0x80, 0xFF, 0x7F, 0xFE, 0x7E]].tolist() == [-32124, 32124, 0, 0, 8, -8]


def test_a_law_values_of_the_standard():
    table = a_law()
    assert table[[0x2A, 0xAA, 0xD5, 0x55, 0xD4]].tolist() == [-32256, 32256, 8, -8, 24]


def reference_mu_law(sample: int) -> int:
    """ulaw_compress of ITU-T G.191, step by step."""
    magnitude = min(((~sample if sample < 0 else sample) >> 2) + 33, 0x1FFF)
    segment, rest = 1, magnitude >> 6
    while rest:
        segment, rest = segment + 1, rest >> 1
    code = (8 - segment) << 4 | (15 - (magnitude >> segment & 15))
    return code | 0x80 if sample >= 0 else code


def reference_a_law(sample: int) -> int:
    """alaw_compress of ITU-T G.191, step by step."""
    code = (~sample if sample < 0 else sample) >> 4
    if code > 15:
        segment = 1
        while code > 31:
            segment, code = segment + 1, code >> 1
        code += (segment << 4) - 16
    return (code | 0x80 if sample >= 0 else code) ^ 0x55


@pytest.mark.parametrize(("name", "reference"), [("PCMU", reference_mu_law), ("PCMA", reference_a_law)])
def test_all_samples_encode_as_g191_says(name, reference):
    np.testing.assert_array_equal(encode(name, ALL_SAMPLES), [reference(sample) for sample in ALL_SAMPLES.tolist()])


@pytest.mark.parametrize("name", TABLES)
def test_encoding_undoes_decoding(name):
    table = TABLES[name]()
    np.testing.assert_array_equal(table[encode(name, table)], table)


def test_encode_refuses_other_encodings():
    with pytest.raises(KeyError):
        encode("G729", ALL_SAMPLES)


@pytest.mark.parametrize("payload_type", [0, 8])
def test_payloads_of_different_sizes_are_decoded_end_to_end(payload_type):
    codec = STATIC[payload_type]
    data = np.random.default_rng(1).integers(0, 256, 1000, dtype=np.uint8)
    start, length = np.array([7, 300, 100, 500]), np.array([161, 80, 0, 3])
    decoded = decode(codec, data, start, length)
    expected = np.concatenate([TABLES[codec.name]()[data[s : s + n]] for s, n in zip(start, length, strict=True)])
    np.testing.assert_array_equal(decoded.samples, expected)
    assert decoded.counts.tolist() == [161, 80, 0, 3]
    assert decoded.rate == 8000


def test_a_wideband_clock_is_kept():
    assert decode_one(Codec(96, "PCMU", 16000), b"\xff\x00").rate == 16000


@pytest.mark.parametrize("codec", [STATIC[15], Codec(96, "EVS", 16000), Codec(97, "PCMU", 8000, 2)])
def test_without_a_decoder_there_is_no_sound_and_no_length(codec):
    assert decode_one(codec, b"\x00" * 20) is None
    assert lengths(codec, [20, 10]) == [0, 0]


def test_the_length_of_g711_is_its_octets():
    assert lengths(STATIC[8], [160, 0, 240]) == [160, 0, 240]


def test_no_packets_give_no_samples():
    nothing = np.empty(0, np.int64)
    decoded = decode(STATIC[0], np.zeros(10, np.uint8), nothing, nothing)
    assert (decoded.samples.size, decoded.counts.size) == (0, 0)
