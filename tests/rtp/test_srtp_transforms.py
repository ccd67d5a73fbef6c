"""SRTP under one key, against the vectors of the RFCs and libsrtp."""

import hmac
import secrets
import struct

import pytest
from pylibsrtp import Policy, Session

from rtp.srtp import SUITES, Key, transform
from rtp.srtp.transforms import Counter, Galois, derive

GALLIA = b"Gallia est omnis divisa in partes tres"
HEADER = bytes.fromhex("8040f17b8041f8d35501a0b2")
REPORT = bytes.fromhex("81c8000d4d617273")
SENDER = bytes.fromhex("4e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef")
PROFILES = {
    "AES_CM_128_HMAC_SHA1_80": Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
    "AES_CM_128_HMAC_SHA1_32": Policy.SRTP_PROFILE_AES128_CM_SHA1_32,
    "AEAD_AES_128_GCM": Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
    "AEAD_AES_256_GCM": Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
}


def random_key(suite: str, mki: bytes = b"") -> Key:
    return Key(SUITES[suite], secrets.token_bytes(SUITES[suite].octets), mki)


def test_keys_are_derived_as_in_rfc_3711_b3():
    master = "E1F97A0D3E018BE0D64FA32C06DE41390EC675AD498AFEEBB6960B3AABE6"
    key = Key(SUITES["AES_CM_128_HMAC_SHA1_80"], bytes.fromhex(master))
    assert derive(key, 0, 16).hex() == "c61e7a93744f39ee10734afe3ff7a087"
    assert derive(key, 2, 14).hex() == "30cbbc08863d8c85d49db34a9ae1"
    assert derive(key, 1, 20).hex() == "cebe321f6ff7716b6fd4ab49af256a156d38baa4"


def test_keys_of_256_bits_are_derived_as_in_rfc_6188_7():
    master = "f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6" + "3b04803de51ee7c96423ab5b78d2"
    key = Key(SUITES["AES_256_CM_HMAC_SHA1_80"], bytes.fromhex(master))
    assert derive(key, 0, 32).hex() == "5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4"
    assert derive(key, 2, 14).hex() == "fa31791685ca444a9e07c6c64e93"
    assert derive(key, 1, 20).hex() == "fd9c32d39ed5fbb5a9dc96b30818454d1313dc05"


@pytest.fixture
def session_keys(monkeypatch):
    """Has a key taken as the session's, as the vectors give it."""

    def taken(key: Key, label: int, octets: int) -> bytes:
        return (key.octets[key.suite.key :] if label in (2, 5) else key.octets[: key.suite.key]).ljust(octets, b"\0")

    monkeypatch.setattr("rtp.srtp.transforms.derive", taken)


def test_the_key_stream_of_rfc_3711_b2(session_keys):
    octets = bytes.fromhex("2B7E151628AED2A6ABF7158809CF4F3C" + "F0F1F2F3F4F5F6F7F8F9FAFBFCFD")
    stream = Counter(Key(SUITES["AES_CM_128_HMAC_SHA1_80"], octets)).rtp.crypt(bytes(4), 0, bytes(0xFF02 * 16))
    assert stream[:32].hex() == "e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab"
    assert (
        stream[-48:].hex()
        == "ec8cdf7398607cb0f2d21675ea9ea1e4362b7c3c6773516318a077d7fc5073ae6a2cc3787889374fbeb4c81b17ba6c44"
    )


@pytest.mark.parametrize(
    ("suite", "sealed"),
    [
        (
            "AEAD_AES_128_GCM",
            "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce",
        ),
        (
            "AEAD_AES_256_GCM",
            "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13",
        ),
    ],
)
def test_the_packets_of_rfc_7714_16(session_keys, suite, sealed):
    octets = bytes(range(SUITES[suite].key)) + b"Quid pro quo"
    opened = Galois(Key(SUITES[suite], octets)).open(HEADER + bytes.fromhex(sealed), 12, 0xF17B)
    assert opened == GALLIA


def test_the_report_of_rfc_7714_17(session_keys):
    key = Key(SUITES["AEAD_AES_128_GCM"], bytes(range(16)) + b"Quid pro quo")
    sealed = (
        "63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda"
        "4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4"
    )
    assert Galois(key).open_control(REPORT + bytes.fromhex(sealed)) == (0x5D4, REPORT + SENDER)
    assert Galois(key).protect_control(REPORT + SENDER, 0x5D4) == REPORT + bytes.fromhex(sealed)


@pytest.mark.parametrize("suite", PROFILES)
@pytest.mark.parametrize("header", [12, 28])
def test_what_libsrtp_protects_is_opened(suite, header):
    key = random_key(suite)
    theirs = Session(Policy(key.octets, Policy.SSRC_ANY_OUTBOUND, 0, PROFILES[suite]))
    ours = transform(key)
    report = struct.pack("!BBHIQIII", 0x80, 200, 6, 7, 1 << 63, 1, 2, 3)
    for sequence in range(3):
        extended = struct.pack("!IHHI", 9, 0xBEDE, 2, 5) + bytes(4) if header == 28 else b""
        packet = struct.pack("!BBHII", 0x91 if extended else 0x80, 0, sequence, 160, 7) + extended + GALLIA
        protected = theirs.protect(packet)
        assert ours.open(protected, header, sequence) == GALLIA
        assert ours.open(protected, header, 0x10000 + sequence) is None
        assert ours.open(protected[:-1] + bytes([protected[-1] ^ 1]), header, sequence) is None
        protected = theirs.protect_rtcp(report)
        assert ours.open_control(protected) == (sequence + 1, report)
        assert ours.open_control(protected[:-1]) is None


@pytest.mark.parametrize("suite", PROFILES)
def test_what_is_protected_here_libsrtp_opens(suite):
    key = random_key(suite)
    theirs = Session(Policy(key.octets, Policy.SSRC_ANY_INBOUND, 0, PROFILES[suite]))
    for index in (1, 2, 0x7FFFFFF0):
        report = struct.pack("!BBHIIBB", 0x81, 202, 3, 7, 7, 1, 2) + b"me"
        assert theirs.unprotect_rtcp(transform(key).protect_control(report, index)) == report


@pytest.mark.parametrize("suite", ["AES_256_CM_HMAC_SHA1_80", "AES_256_CM_HMAC_SHA1_32"])
def test_reports_of_suites_that_libsrtp_has_not_come_back(suite):
    key = random_key(suite, b"\x07")
    assert transform(key).open_control(transform(key).protect_control(REPORT + SENDER, 9)) == (9, REPORT + SENDER)


@pytest.mark.parametrize("suite", PROFILES)
def test_an_mki_is_looked_at_and_taken_off(suite):
    key = random_key(suite, b"\x01\x02")
    session = Session(Policy(key.octets, Policy.SSRC_ANY_OUTBOUND, 0, PROFILES[suite]))
    packet = session.protect(HEADER + GALLIA)
    report = session.protect_rtcp(REPORT[:2] + b"\0\x0c" + REPORT[4:] + SENDER)
    tags = (0, 0) if key.suite.galois else (key.suite.tag, 10)
    with_mki, report = (
        octets[: len(octets) - tag] + key.mki + octets[len(octets) - tag :]
        for octets, tag in zip((packet, report), tags, strict=True)
    )
    ours = transform(key)
    assert ours.open(with_mki, 12, 0xF17B) == GALLIA
    assert ours.open_control(report)[1][8:] == SENDER
    assert ours.protect_control(ours.open_control(report)[1], 1) == report
    assert ours.open(packet, 12, 0xF17B) is None
    assert transform(Key(key.suite, key.octets, b"\x01\x03")).open(with_mki, 12, 0xF17B) is None


@pytest.mark.parametrize("suite", SUITES)
def test_no_octets_are_too_few(suite):
    ours = transform(random_key(suite))
    for length in range(60):
        packet = (HEADER + bytes(60))[:length]
        assert ours.open(packet, 12, 0) is None
        assert ours.open_control(packet) is None


def test_a_report_that_is_authenticated_only(session_keys):
    key = random_key("AES_CM_128_HMAC_SHA1_80")
    ours = Counter(key)
    body = REPORT + SENDER + bytes(4)  # E is 0
    tag = hmac.digest(key.octets[:16].ljust(20, b"\0"), body, "sha1")[:10]
    assert ours.open_control(body + tag) == (0, REPORT + SENDER)


def test_a_key_of_another_size_is_refused():
    with pytest.raises(ValueError, match="30 octets of key and salt, not 16"):
        Key(SUITES["AES_CM_128_HMAC_SHA1_80"], bytes(16))


def test_keys_are_not_shown():
    assert "octets" not in repr(random_key("AEAD_AES_256_GCM"))
