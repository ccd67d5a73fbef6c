"""The pages as people meet them: in Chromium, against a running recorder with a real call."""

from datetime import UTC, datetime

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect
from sqlmodel import select
from support.browsing import ALL_WAYS, PASSWORD, WALKS, Site, Walk, visiting
from support.client import Client
from support.recorder import until

from srs.archive.database import connect, writing
from srs.archive.tables import Recording, State
from srs.handoff.tables import Task, TaskState
from srs.privacy import users
from srs.privacy.roles import Assignment, assignment

expect.set_options(timeout=30_000)  # machines are shared

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
REMOVED = (
    "It is removed at once. What it said holds no more for calls to come; "
    "recordings there are keep what they were stored with."
)


@pytest.mark.parametrize("tour", WALKS if ALL_WAYS else WALKS[:2], ids=str)
def test_every_page_is_fit_for_everybody(browser: Browser, site: Site, tour: Walk):
    with visiting(browser, site, **tour.browser) as visitor:
        visitor.go("/sign-in", "sign-in")
        visitor.sign_in(tour.user)
        pages = {
            "recordings": "/recordings?q=alice&min_s=1",
            "recording": f"/recordings/{site.recording}",
            "delete": f"/recordings/{site.recording}/delete",
            "hold": f"/recordings/{site.recording}/hold",
            "mail": f"/recordings/{site.recording}/mail",
            "nothing": "/recordings?q=nobody",
            "live": "/live",
            "state": "/state",
            "users": "/users",
            "user": "/users/bert",
            "audit": "/audit",
            "tasks": "/tasks",
            "privacy": "/privacy",
            "cases": "/cases",
            "persons": "/privacy/persons?person=alice",
            "receipts": "/privacy/receipts",
            "tokens": "/account/tokens",
            "settings": "/settings",
            "rules": "/settings/purposes",
            "rule": "/settings/retention-rules/new",
            "announcements": "/settings/announcements",
            "start": "/start",
            "account": "/account",
            "password": "/account/password",
            "second-factor": "/account/second-factor",
        }
        for shot, path in pages.items():
            page = visitor.go(path, shot)
            expect(page.locator("html")).to_have_attribute("lang", tour.language)


def test_a_supervisor_finds_and_plays_a_call(browser: Browser, site: Site, walk: Walk):
    with visiting(browser, site, **walk.browser) as visitor:
        visitor.sign_in(walk.user)
        page, say = visitor.go("/recordings"), visitor.say
        page.get_by_role("searchbox").fill("ALICE")
        expect(page.get_by_role("status")).to_have_text(say("Recordings: {count}", count=1))
        expect(page.locator("#rows tbody tr")).to_have_count(1)
        page.get_by_role("searchbox").fill("zacharias")
        expect(page.locator("#rows h2")).to_have_text(say("Nothing found"))
        page.get_by_role("searchbox").fill("bob")
        page.locator("#rows tbody a").first.click()
        player = page.locator("call-player")
        player.get_by_role("button", name=say("Play"), exact=True).click()
        expect(player.get_by_role("button", name=say("Pause"), exact=True)).to_be_visible()
        expect(player.locator("output")).to_have_text("0:01 / 0:03", timeout=30_000)
        player.focus()
        page.keyboard.press("1")
        expect(player.get_by_role("button", name=say("Mute")).first).to_have_attribute("aria-pressed", "true")
        page.goto(f"{site.url}/audit?action=play")
        expect(page.locator("tbody tr").first).to_contain_text(f"user:{walk.user}")


def test_tags_and_hold_with_a_reason(browser: Browser, site: Site, walk: Walk):
    with visiting(browser, site, **walk.browser) as visitor:
        visitor.sign_in(walk.user)
        page, say = visitor.go(f"/recordings/{site.recording}"), visitor.say
        page.get_by_label(say("Tags, with commas between")).fill("complaint, VIP")
        page.get_by_role("button", name=say("Save")).click()
        expect(page.locator(".facts .tag")).to_have_text(["complaint", "VIP"])
        page.get_by_role("link", name=say("Hold")).click()
        page.get_by_label(say("Reason")).fill("a court asked")
        page.get_by_role("button", name=say("Hold")).click()
        expect(page.locator(".facts")).to_contain_text(say("Held"))
        page.goto(f"{site.url}/recordings?tag=vip&held=yes")
        expect(page.locator("#rows tbody tr")).to_have_count(1)
        page.get_by_label(say("Name for this search")).fill(f"Held VIP {walk}")
        page.get_by_role("button", name=say("Save search")).click()
        expect(page.get_by_role("link", name=f"Held VIP {walk}")).to_be_visible()
        page.goto(f"{site.url}/recordings/{site.recording}/hold")
        page.get_by_label(say("Reason")).fill("over")
        page.get_by_role("button", name=say("Release")).click()
        expect(page.locator(".facts")).not_to_contain_text(say("Held"))


def test_a_rule_is_looked_at_kept_and_in_force_while_the_recorder_goes_on(browser: Browser, site: Site, walk: Walk):
    with visiting(browser, site, **walk.browser) as visitor:
        visitor.sign_in(walk.user)
        page, say = visitor.go("/settings/retention-rules/new"), visitor.say
        page.get_by_label(say("field name"), exact=True).fill(f"long {walk}")
        page.get_by_label(say("field keep_days")).fill("400")
        page.get_by_label(say("field tag"), exact=True).fill("contract")
        page.get_by_role("button", name=say("Preview")).click()
        would = say("Of the last 30 days it would have been for {hits} recordings.", hits=0)
        expect(page.get_by_text(would)).to_be_visible()
        page.get_by_role("button", name=say("Save")).click()
        expect(page.locator("h1")).to_have_text(say("Saved"))
        expect(page.locator("h1")).to_have_text(say("Retention rules"))
        expect(page.get_by_role("link", name=f"long {walk}")).to_be_visible()
        page.goto(f"{site.url}/settings")
        expect(page.locator("tr", has_text="retention.rule")).to_contain_text("pages.toml")
        page.goto(f"{site.url}/settings/retention-rules")
        page.get_by_role("link", name=f"long {walk}").click()
        page.locator(".sure summary").click()
        expect(page.get_by_text(say(REMOVED))).to_be_visible()
        page.locator(".sure").get_by_role("button", name=say("Remove")).click()
        expect(page.locator("h1")).to_have_text(say("Saved"))
        expect(page.locator("h1")).to_have_text(say("Retention rules"))
        expect(page.get_by_role("link", name=f"long {walk}")).to_have_count(0)
    assert site.recorder.recordings(1)


def test_the_state_page_says_what_is_wrong_and_what_to_do(browser: Browser, site: Site, walk: Walk):
    engine, now = connect(f"sqlite:///{site.recorder.data / 'recordings.sqlite'}"), datetime.now(UTC)
    moments = {"started_at": now, "ended_at": now, "created_at": now, "duration_s": 1.0}
    with writing(engine) as session:
        session.add(Recording(id="f" * 32, state=State.FAILED, reason="no packet could be read", **moments))
        told = {"state": TaskState.FAILED, "last_error": "crm answers 403", "due_at": now, "created_at": now}
        session.add(Task(key="crm", kind="webhook", name="crm", **told))
    try:
        with visiting(browser, site, **walk.browser) as visitor:
            visitor.sign_in(walk.user)
            page, say = visitor.go("/state", "state-wrong"), visitor.say
            sections = page.locator("section")
            for heading, wrong in (("After the call", "answers 403"), ("What failed", "no packet could")):
                section = sections.filter(has=page.get_by_role("heading", name=say(heading)))
                expect(section).to_contain_text(wrong)
            page.get_by_role("link", name=say("Tasks after the call")).first.click()
            page = visitor.go("/tasks", "tasks-failed")
            page.get_by_role("row", name="crm answers 403").get_by_role("button", name=say("Cancel task")).click()
            expect(page.locator("main")).not_to_contain_text("crm answers 403")
    finally:
        with writing(engine) as session:
            session.delete(session.get_one(Recording, "f" * 32))
            session.delete(session.exec(select(Task).where(Task.key == "crm")).one())
        engine.dispose()


def test_a_recording_is_mailed_by_a_rule_once(browser: Browser, site: Site, walk: Walk):
    with visiting(browser, site, **walk.browser) as visitor:
        visitor.sign_in(walk.user)
        page, say = visitor.go(f"/recordings/{site.recording}"), visitor.say
        page.get_by_role("link", name=say("Mail"), exact=True).click()
        page.get_by_label(f"lead-{walk}, MP3").check()
        page.get_by_label(say("Reason")).fill(f"asked by phone, {walk}")
        page.get_by_role("button", name=say("Send")).click()
        until(lambda: f"{walk}@example.org" in site.mails.recipients(), lambda: site.recorder.log.read_text())
        has_it = f"{say('has it:')} {walk}@"
        until(lambda: has_it in _reloaded(page), lambda: page.inner_text("main"))
        expect(page.get_by_label(f"lead-{walk}, MP3")).to_be_disabled()
        page.goto(f"{site.url}/audit?action=mail")
        expect(page.locator("tbody tr", has_text=f"asked by phone, {walk}")).to_contain_text(f"user:{walk.user}")
    mail = site.mails.mails()[-1]
    assert [part.get_content_type() for part in mail.iter_attachments()] == ["audio/mpeg"]


def _reloaded(page: Page) -> str:
    page.reload()
    return page.inner_text("main")


def test_the_first_administrator_gets_in_by_the_log_once(site: Site):
    line = next(line for line in site.recorder.log.read_text().splitlines() if "one_time_password=" in line)
    with Client(site.url) as client:
        client.trust_env, client.verify = False, str(site.recorder.data / "web" / "certificate.pem")
        assert client.sign_in("admin", line.partition("one_time_password=")[2].split()[0]).status_code == 303
        assert client.get("/recordings").headers["location"] == "/account/password"


def test_somebody_new_chooses_a_password_and_makes_a_test_call(browser: Browser, site: Site, walk: Walk):
    once = _newcomer(site, f"new-{walk}", walk.language, assignment("administrator"))
    with visiting(browser, site, **walk.browser) as visitor:
        visitor.sign_in(f"new-{walk}", once)
        page, say = visitor.page, visitor.say
        page.get_by_label(say("Present password")).fill(once)
        page.get_by_label(say("New password"), exact=True).fill(PASSWORD)
        page.get_by_label(say("New password, again")).fill(PASSWORD)
        page.get_by_role("button", name=say("Set password")).click()
        page.wait_for_url("**/recordings")  # not what was recorded: an administrator knows of nothing
        page.goto(f"{site.url}/start")
        page.get_by_role("button", name=say("Make a test call")).click()
        expect(page.get_by_role("status")).to_contain_text({"en": "under way", "nl": "bezig"}[walk.language])
        expect(page.get_by_role("status").locator(".badge")).to_have_text("100 %")
        page.goto(f"{site.url}/recordings/{site.recording}")
        expect(page.locator("h1")).to_have_text(say("Not found"))
        visitor.complaints.clear()  # Chromium reports the 404 itself
        page.goto(f"{site.url}/recordings")
        expect(page.locator("#rows h2")).to_have_text(say("No recordings yet"))


def _newcomer(site: Site, name: str, language: str, *roles: Assignment) -> str:
    """A new user; returns the one-time password."""
    engine = connect(f"sqlite:///{site.recorder.data / 'recordings.sqlite'}")
    with writing(engine) as session:
        user, once = users.add(session, name, datetime.now(UTC), language=language)
        for role in roles:
            users.give(session, user, role)
        if not roles:
            users.set_password(session, user, PASSWORD)
    engine.dispose()
    return once


def test_a_second_factor_is_set_up_with_a_picture(browser: Browser, site: Site, walk: Walk):
    _newcomer(site, f"two-{walk}", walk.language)
    with visiting(browser, site, **walk.browser) as visitor:
        visitor.sign_in(f"two-{walk}")
        page, say = visitor.go("/account/second-factor"), visitor.say
        page.get_by_role("button", name=say("Set it up")).click()
        page = visitor.go("/account/second-factor", "second-factor-code")
        expect(page.get_by_role("img", name=say("QR code")).locator("svg")).to_be_visible()
        secret = page.locator("small code").inner_text()
        page.get_by_role("textbox", name=say("Code")).fill(pyotp.TOTP(secret).now())
        page.get_by_role("button", name=say("Put in force")).click()
        expect(page.locator(".codes li")).to_have_count(8)


def test_without_scripts_everything_but_the_waveform_is_there(browser: Browser, site: Site, walk: Walk):
    with visiting(browser, site, java_script_enabled=False, **walk.browser) as visitor:
        visitor.sign_in(walk.user)
        page = visitor.page
        page.goto(f"{site.url}/recordings")
        page.get_by_role("searchbox").fill("alice")
        page.get_by_role("button", name=visitor.say("Search"), exact=True).click()
        page.locator("#rows tbody a").first.click()
        expect(page.locator("call-player audio")).to_be_visible()
