"""The certificate that the pages have without any."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from srs.config import Settings, WebSettings
from srs.web.certificate import files, fingerprint

NOW = datetime(2026, 11, 27, tzinfo=UTC)


def settings(data: Path, host: str = "192.0.2.1") -> Settings:
    return Settings(data_dir=data, web=WebSettings(listen=f"https://{host}:8443"))


def test_it_is_made_once_for_the_address_and_only_its_owner_reads_the_key(tmp_path: Path):
    certificate, key = files(settings(tmp_path), NOW)
    first = fingerprint(certificate)
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key)
    assert (key.stat().st_mode & 0o777) == 0o600
    assert fingerprint(files(settings(tmp_path), NOW + timedelta(days=300))[0]) == first


def test_it_is_made_anew_before_it_ends_and_for_another_address(tmp_path: Path):
    first = fingerprint(files(settings(tmp_path), NOW)[0])
    second = fingerprint(files(settings(tmp_path, "192.0.2.2"), NOW)[0])
    third = fingerprint(files(settings(tmp_path, "192.0.2.2"), NOW + timedelta(days=380))[0])
    assert len({first, second, third}) == 3


def test_one_of_the_settings_is_taken_as_it_is(tmp_path: Path):
    web = WebSettings(certificate=tmp_path / "mine.pem", key=tmp_path / "mine.key")
    assert files(Settings(data_dir=tmp_path, web=web), NOW) == (tmp_path / "mine.pem", tmp_path / "mine.key")
