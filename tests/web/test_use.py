"""Sound is given for what it is kept for and for nothing else; that is asked once, and remembered."""

from srs.privacy.roles import Right, Scope, assignment

from .conftest import Company

HEAR = assignment("supervisor", Scope.ALL, rights=[Right.LIST, Right.PLAY, Right.DOWNLOAD])


def test_a_recording_is_played_and_taken_along_for_its_purpose_only(company: Company):
    company.user("truus", HEAR)
    client = company.client("truus")
    bound, free = f"/recordings/{company.recordings['201']}", f"/recordings/{company.recordings['301']}"
    sounds = [f"{bound}/audio", f"{bound}/download?format=mp3"]
    assert [client.get(f"{free}/{path}").status_code for path in ("audio", "download?format=wav")] == [200, 200]
    page = client.get(bound).text
    assert "What do you want to use this recording for?" in page
    assert "<call-player" not in page
    assert [client.get(path).status_code for path in sounds] == [403, 403], "nothing was said yet"

    answer = client.post(f"{bound}/use", data={"purpose": "security"})
    assert (answer.status_code, "is kept for training or quality, not for security" in answer.text) == (403, True)
    assert [client.get(path).status_code for path in sounds] == [403, 403], "training is not control"
    assert client.get(f"{bound}/audio?purpose=security").status_code == 403

    assert client.post(f"{bound}/use", data={"purpose": "quality"}).headers["location"] == bound
    page = client.get(bound).text
    assert "<call-player" in page
    assert "Used for: quality" in page
    assert [client.get(path).status_code for path in sounds] == [200, 200]
    assert client.get(f"{bound}/audio?purpose=security").status_code == 403, "the address says otherwise"

    told = [
        (each.action, each.reason, each.allowed)
        for each in company.audited(who="user:truus", subject=f"recording:{company.recordings['201']}")
        if each.action != "show"
    ]
    refusals = [("play", None), ("download", None), ("purpose of use", "security")]
    refusals += [("play", None), ("download", None), ("play", "security")]
    assert told == [
        *((action, reason, False) for action, reason in refusals),
        ("purpose of use", "quality", True),
        ("play", "quality", True),
        ("download", "quality", True),
        ("play", "security", False),
    ]
    again = company.client("truus")
    assert again.get(sounds[0]).status_code == 403, "another browser, asked anew"


def test_who_may_not_hear_is_not_asked(company: Company):
    company.user("lies", assignment("supervisor", Scope.ALL, rights=[Right.LIST]))
    client = company.client("lies")
    path = f"/recordings/{company.recordings['201']}"
    assert "What do you want" not in client.get(path).text
    client.post(f"{path}/use", data={"purpose": "training"})
    assert client.get(f"{path}/audio").status_code == 403
    assert client.post(f"/recordings/{'f' * 32}/use", data={"purpose": "training"}).status_code == 404
