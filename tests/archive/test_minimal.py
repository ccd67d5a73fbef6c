"""What is kept of the words of clients is what the settings ask for: nothing else is known of a recording."""

import json
from dataclasses import replace

import pytest
from support.archive import keep
from support.stand_in import finalise

from srs.archive import catalogue
from srs.archive.keep import Archive
from srs.config.archive import MetadataSettings

ALICE = {"label": "1", "aor": "sip:alice@example.com", "name": "Alice", "from_s": 0.0, "to_s": 2.0}
NAMELESS = {"label": "2", "aor": None, "name": "Front desk", "from_s": 0.0, "to_s": 2.0}
FACTS = {
    "participants": [ALICE, NAMELESS],
    "headers": {"x-ticket": "4711"},
    "extensions": ["mydata"],
    "documents": [{"at_s": 0.0, "xml": "<recording>whole</recording>"}],
}
WORDS = {
    "names": "Alice",
    "identifiers": "00001000021793793061",
    "headers": "4711",
    "documents": "<recording>whole</recording>",
}


def kept(archive: Archive, ended, keep_what: list[str]) -> str:
    """All that is known of a recording, as JSON."""
    whole = replace(
        archive,
        finalise=lambda path: [replace(each, facts=FACTS) for each in finalise(path)],
        metadata=MetadataSettings(keep=keep_what),
    )
    row = keep(whole, ended())
    return json.dumps(catalogue.details(archive.engine, row, archive.store))


def test_all_is_kept_unless_told(archive: Archive, ended):
    told = kept(archive, ended, MetadataSettings().keep)
    assert all(word in told for word in WORDS.values())


@pytest.mark.parametrize("left_out", WORDS)
def test_what_is_not_to_be_kept_is_nowhere(archive: Archive, ended, left_out):
    told = kept(archive, ended, [each for each in WORDS if each != left_out])
    assert {name for name, word in WORDS.items() if word not in told} == {left_out}


def test_addresses_and_names_without_address_stay(archive: Archive, ended):
    told = kept(archive, ended, [])
    assert all(word in told for word in ("sip:alice@example.com", "sip:bob@example.com", "Front desk"))
    assert not any(word in told for word in WORDS.values())
