"""Sealed files are read from any place: what `age` and pyrage seal, beside what was sealed."""

import io
import random
import subprocess
from pathlib import Path

import pyrage
import pytest

from srs.archive.unseal import CHUNK, CannotOpen, unsealed


class Counting(io.BytesIO):
    """A file that knows how much of it was read."""

    octets = 0

    def read(self, size: int | None = -1) -> bytes:
        got = super().read(size)
        self.octets += len(got)
        return got


@pytest.fixture(scope="module")
def identity() -> pyrage.x25519.Identity:
    return pyrage.x25519.Identity.generate()


def sealed(content: bytes, *identities: pyrage.x25519.Identity) -> bytes:
    return pyrage.encrypt(content, [each.to_public() for each in identities])


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 17])
def test_every_place_of_every_size(size: int, identity):
    content = random.Random(size).randbytes(size)
    file = unsealed(io.BytesIO(sealed(content, identity)), str(identity))
    assert file.read() == content
    assert file.seek(0, 2) == size
    for place in (0, 1, size // 2, CHUNK - 3, CHUNK, size - 5, size + 9):
        file.seek(max(place, 0))
        assert file.read(70_000) == content[max(place, 0) : max(place, 0) + 70_000]


def test_the_end_of_an_hour_costs_no_more_than_a_few_chunks(identity):
    content = bytes(100 * CHUNK)
    source = Counting(sealed(content, identity))
    with unsealed(source, str(identity)) as file:
        file.seek(-100, 2)
        assert file.read() == bytes(100)
    assert source.octets < 4 * CHUNK
    assert source.closed


def test_what_age_itself_seals_for_several(tmp_path: Path, identity):
    content = random.Random(1).randbytes(CHUNK + 5)
    (tmp_path / "plain").write_bytes(content)
    others = [pyrage.x25519.Identity.generate() for _ in range(5)]
    to = [word for each in [*others, identity] for word in ("-r", str(each.to_public()))]
    subprocess.run(["age", *to, "-o", tmp_path / "sealed", tmp_path / "plain"], check=True)
    assert unsealed((tmp_path / "sealed").open("rb"), str(identity)).read() == content


def test_what_was_touched_or_is_for_others_is_not_given(identity):
    content = random.Random(2).randbytes(2 * CHUNK + 5)
    whole = sealed(content, identity)
    payload = len(whole) - (2 * CHUNK + 5 + 3 * 16 + 16)
    cut_off = [whole[:-1], whole[: -(5 + 16)], whole[: payload + 16], whole[:payload], whole[:50], b""]
    for damaged in cut_off:
        with pytest.raises(CannotOpen):
            unsealed(io.BytesIO(damaged), str(identity))
    for place in (30, payload - 5, payload + 3, len(whole) - 1):  # stanza, MAC, nonce, the last chunk
        with pytest.raises(CannotOpen):
            unsealed(io.BytesIO(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]), str(identity))
    place = payload + 16 + 100  # in the first chunk: what is behind it is still good, it is not
    file = unsealed(io.BytesIO(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]), str(identity))
    file.seek(CHUNK)
    assert file.read() == content[CHUNK:]
    file.seek(0)
    with pytest.raises(CannotOpen):
        file.read(1)
    for wrong in (str(pyrage.x25519.Identity.generate()), "AGE-SECRET-KEY-1", ""):
        with pytest.raises(CannotOpen):
            unsealed(io.BytesIO(whole), wrong)
