import os

import pytest

from srs.capture import admission
from srs.capture.admission import Refusal


def test_who_may_record() -> None:
    admission.check_source("192.0.2.7", [])
    admission.check_source("192.0.2.7", ["198.51.100.0/24", "192.0.2.0/24"])
    admission.check_source("2001:db8::1", ["2001:db8::/32"])
    with pytest.raises(Refusal, match=r"403 .*203\.0\.113\.1"):
        admission.check_source("203.0.113.1", ["192.0.2.0/24"])
    with pytest.raises(Refusal):
        admission.check_source("2001:db8::1", ["192.0.2.0/24"])


def test_room_on_the_disk(tmp_path, monkeypatch) -> None:
    admission.check_disk(tmp_path)
    real = os.statvfs(tmp_path)
    full = os.statvfs_result((*real[:4], 1000, *real[5:]))
    monkeypatch.setattr(os, "statvfs", lambda path: full)
    with pytest.raises(Refusal, match="disk full") as refused:
        admission.check_disk(tmp_path)
    assert (refused.value.status, refused.value.retry_after_s) == (503, admission.RETRY_AFTER_S)


def test_a_disk_that_is_gone(tmp_path) -> None:
    with pytest.raises(Refusal, match="503 cannot record"):
        admission.check_disk(tmp_path / "gone")
