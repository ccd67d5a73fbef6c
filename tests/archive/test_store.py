"""The audio store, in a folder, in memory, on an S3 server."""

import io
import os
from pathlib import Path

import pytest
from support import s3

import srs.archive.store
from srs.archive.errors import StoreError
from srs.archive.store import Store, open_store

KEY = "2026/11/24/ab12.wav"


@pytest.fixture(params=["folder", "memory", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return open_store((tmp_path / "with space" / "audio").as_uri())
    if request.param == "memory":
        return open_store("memory:///")
    request.getfixturevalue("s3_environment")
    return open_store(f"s3://recordings/{tmp_path.name}")


def test_what_is_put_can_be_read_and_deleted(store: Store):
    store.put(KEY, io.BytesIO(b"0123456789" * 1000))
    assert store.size(KEY) == 10_000
    with store.open(KEY) as file:
        file.seek(5)
        content = file.read(4)
        assert content == b"5678"
        assert type(content) is bytes
        assert len(file.read()) == 10_000 - 9
    store.delete(KEY)
    assert store.size(KEY) is None


def test_putting_again_replaces(store: Store):
    store.put(KEY, io.BytesIO(b"long content"))
    store.put(KEY, io.BytesIO(b"short"))
    with store.open(KEY) as file:
        assert file.read() == b"short"


def test_deleting_twice_is_no_error(store: Store):
    store.put(KEY, io.BytesIO(b"content"))
    for _ in range(2):
        store.delete(KEY)
        assert store.size(KEY) is None


def test_opening_what_is_not_there(store: Store):
    with pytest.raises(FileNotFoundError):
        store.open(KEY)


def test_a_folder_is_private_and_tells_the_path(tmp_path: Path):
    store = open_store((tmp_path / "audio").as_uri())
    store.put(KEY, io.BytesIO(b"x"))
    assert store.location(KEY) == str(tmp_path / "audio" / KEY)
    assert (tmp_path / "audio").stat().st_mode & 0o077 == 0


def test_elsewhere_tells_a_url():
    assert open_store("memory:///").location(KEY) == f"memory:/{KEY}"


def test_a_folder_is_on_disk_when_put_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    synced: list[Path] = []
    monkeypatch.setattr(srs.archive.store, "_fsync", synced.append)
    open_store(tmp_path.as_uri()).put("a/b/c.wav", io.BytesIO(b"x"))
    assert synced[0] == tmp_path / "a/b/c.wav"
    assert {tmp_path / "a/b", tmp_path / "a", tmp_path} <= set(synced[1:])


def test_folders_that_were_made_anew_are_synced_and_no_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    synced: list[Path] = []
    store = open_store(tmp_path.as_uri())
    store.put("a/b/1.wav", io.BytesIO(b"x"))
    monkeypatch.setattr(srs.archive.store, "_fsync", synced.append)
    store.put("a/b/2.wav", io.BytesIO(b"x"))
    assert synced == [tmp_path / "a/b/2.wav", tmp_path / "a/b"]
    synced.clear()
    store.put("a/c/3.wav", io.BytesIO(b"x"))
    assert synced == [tmp_path / "a/c/3.wav", tmp_path / "a/c", tmp_path / "a"]
    (tmp_path / "a").rename(tmp_path / "moved")
    synced.clear()
    store.put("a/c/4.wav", io.BytesIO(b"x"))
    assert {tmp_path / "a/c", tmp_path / "a", tmp_path} <= set(synced)


def test_a_full_or_forbidden_folder_is_a_store_error(tmp_path: Path):
    store = open_store(tmp_path.as_uri())
    (tmp_path / "2026").write_text("a file where a folder is needed")
    with pytest.raises(StoreError, match="audio store"):
        store.put(KEY, io.BytesIO(b"x"))


@pytest.mark.parametrize("url", ["bogus://somewhere", "no url", ""])
def test_a_url_of_no_store_is_named(url: str):
    with pytest.raises(StoreError, match="audio store"):
        open_store(url)


def test_a_server_that_is_away_is_a_store_error(monkeypatch: pytest.MonkeyPatch):
    for name, value in {**s3.ACCESS, "AWS_ENDPOINT": "http://127.0.0.1:1", "AWS_ALLOW_HTTP": "true"}.items():
        monkeypatch.setenv(name, value)
    store = open_store("s3://recordings/x")
    with pytest.raises(StoreError, match="audio store s3://recordings/x"):
        store.put(KEY, io.BytesIO(b"x"))


def test_a_bucket_that_is_not_there_is_a_store_error(s3_environment: dict[str, str]):
    with pytest.raises(StoreError, match="audio store s3://nowhere"):
        open_store("s3://nowhere/x").put(KEY, io.BytesIO(b"x"))


@pytest.mark.parametrize("octets", [10, 70 << 20])
def test_from_one_store_into_another(s3_environment: dict[str, str], tmp_path: Path, octets: int):
    remote, local, content = open_store("s3://recordings/from"), open_store(tmp_path.as_uri()), os.urandom(octets)
    remote.put(KEY, io.BytesIO(content))
    for other in (local, open_store("s3://recordings/to")):
        with remote.open(KEY) as source:
            other.put(KEY, source)
        with other.open(KEY) as copied:
            assert copied.read() == content


def test_what_cannot_be_read_to_its_end_is_not_there(tmp_path: Path):
    class Torn(io.RawIOBase):
        left = b"x"

        def read(self, _: int = -1) -> bytes:
            self.left, found = b"", self.left
            if not found:
                raise OSError("torn")
            return found

    store = open_store(tmp_path.as_uri())
    with pytest.raises(StoreError, match="torn"):
        store.put(KEY, Torn())
    assert store.size(KEY) is None
