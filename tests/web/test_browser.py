"""The pages as people meet them: in Chromium, against a running recorder with a real call."""

from datetime import UTC, datetime

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect
from sqlmodel import select
from support.browsing import PASSWORD, SHOTS, Site, visiting
from support.recorder import until

from srs.archive.database import connect, writing
from srs.archive.tables import Recording, State
from srs.handoff.tables import Task, TaskState

expect.set_options(timeout=30_000)  # machines are shared

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}


WALKS = [("anna", DESKTOP, "light"), ("jan", PHONE, "dark")]
WALKS += [("anna", PHONE, "light"), ("jan", DESKTOP, "dark")] if SHOTS else []
"""User, who has a language, width of the window, colours."""


@pytest.mark.parametrize(("name", "width", "scheme"), WALKS)
def test_every_page_is_fit_for_everybody(browser: Browser, site: Site, name: str, width: dict[str, int], scheme: str):
    with visiting(
        browser, site, viewport=width, color_scheme=scheme, locale="nl" if name == "jan" else "en"
    ) as visitor:
        visitor.go("/sign-in", "sign-in")
        visitor.sign_in(name)
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
            expect(page.locator("html")).to_have_attribute("lang", "nl" if name == "jan" else "en")


def test_a_supervisor_finds_and_plays_a_call(browser: Browser, site: Site):
    with visiting(browser, site, viewport=DESKTOP) as visitor:
        visitor.sign_in("anna")
        page = visitor.go("/recordings")
        page.get_by_role("searchbox").fill("ALICE")
        expect(page.get_by_role("status")).to_have_text("Recordings: 1")
        expect(page.locator("#rows tbody tr")).to_have_count(1)
        page.get_by_role("searchbox").fill("zacharias")
        expect(page.locator("#rows h2")).to_have_text("Nothing found")
        page.get_by_role("searchbox").fill("bob")
        page.locator("#rows tbody a").first.click()
        player = page.locator("call-player")
        player.get_by_role("button", name="Play").click()
        expect(player.get_by_role("button", name="Pause")).to_be_visible()
        expect(player.locator("output")).to_have_text("0:01 / 0:03", timeout=30_000)
        player.focus()
        page.keyboard.press("1")
        expect(player.get_by_role("button", name="Mute").first).to_have_attribute("aria-pressed", "true")
        page.goto(f"{site.url}/audit?action=play")
        expect(page.locator("tbody tr").first).to_contain_text("user:anna")


def test_tags_and_hold_with_a_reason(browser: Browser, site: Site):
    with visiting(browser, site, viewport=DESKTOP) as visitor:
        visitor.sign_in("anna")
        page = visitor.go(f"/recordings/{site.recording}")
        page.get_by_label("Tags, with commas between").fill("complaint, VIP")
        page.get_by_role("button", name="Save").click()
        expect(page.locator(".facts .tag")).to_have_text(["complaint", "VIP"])
        page.get_by_role("link", name="Hold").click()
        page.get_by_label("Reason").fill("a court asked")
        page.get_by_role("button", name="Hold").click()
        expect(page.locator(".facts")).to_contain_text("Held")
        page.goto(f"{site.url}/recordings?tag=vip&held=yes")
        expect(page.locator("#rows tbody tr")).to_have_count(1)
        page.get_by_label("Name for this search").fill("Held VIP")
        page.get_by_role("button", name="Save search").click()
        expect(page.get_by_role("link", name="Held VIP")).to_be_visible()
        page.goto(f"{site.url}/recordings/{site.recording}/hold")
        page.get_by_label("Reason").fill("over")
        page.get_by_role("button", name="Release").click()
        expect(page.locator(".facts")).not_to_contain_text("Held")


def test_a_rule_is_looked_at_kept_and_in_force_while_the_recorder_goes_on(browser: Browser, site: Site):
    with visiting(browser, site, viewport=DESKTOP, allow=("ERR_CONNECTION",)) as visitor:
        visitor.sign_in("anna")
        page = visitor.go("/settings/retention-rules/new")
        page.get_by_label("Name", exact=True).fill("kept long")
        page.get_by_label("Days kept").fill("400")
        page.get_by_label("Tag", exact=True).fill("contract")
        page.get_by_role("button", name="Preview").click()
        expect(page.get_by_text("would have been for 0 recordings")).to_be_visible()
        page.get_by_role("button", name="Save").click()
        expect(page.locator("h1")).to_have_text("Saved")
        expect(page.locator("h1")).to_have_text("Retention rules")
        expect(page.get_by_role("link", name="kept long")).to_be_visible()
        page.goto(f"{site.url}/settings")
        expect(page.locator("tr", has_text="retention.rule")).to_contain_text("pages.toml")
    assert site.recorder.recordings(1)


def test_the_state_page_says_what_is_wrong_and_what_to_do(browser: Browser, site: Site):
    engine, now = connect(f"sqlite:///{site.recorder.data / 'recordings.sqlite'}"), datetime.now(UTC)
    moments = {"started_at": now, "ended_at": now, "created_at": now, "duration_s": 1.0}
    with writing(engine) as session:
        session.add(Recording(id="f" * 32, state=State.FAILED, reason="no packet could be read", **moments))
        told = {"state": TaskState.FAILED, "last_error": "crm answers 403", "due_at": now, "created_at": now}
        session.add(Task(key="crm", kind="webhook", name="crm", **told))
    try:
        with visiting(browser, site, viewport=PHONE) as visitor:
            visitor.sign_in("anna")
            page = visitor.go("/state", "state-wrong")
            sections = page.locator("section")
            expect(sections.filter(has=page.get_by_role("heading", name="After the call"))).to_contain_text(
                "answers 403"
            )
            expect(sections.filter(has=page.get_by_role("heading", name="What failed"))).to_contain_text(
                "no packet could"
            )
            page.get_by_role("link", name="Tasks after the call").click()
            page = visitor.go("/tasks", "tasks-failed")
            page.get_by_role("row", name="crm answers 403").get_by_role("button", name="Cancel task").click()
            expect(page.locator("main")).not_to_contain_text("crm answers 403")
    finally:
        with writing(engine) as session:
            session.delete(session.get_one(Recording, "f" * 32))
            session.delete(session.exec(select(Task).where(Task.key == "crm")).one())
        engine.dispose()


def test_a_recording_is_mailed_by_a_rule_once(browser: Browser, site: Site):
    with visiting(browser, site, viewport=DESKTOP) as visitor:
        visitor.sign_in("anna")
        page = visitor.go(f"/recordings/{site.recording}")
        page.get_by_role("link", name="Mail").click()
        page.get_by_label("lead, MP3").check()
        page.get_by_label("Reason").fill("asked by phone")
        page.get_by_role("button", name="Send").click()
        until(lambda: site.mails.recipients() == ["lead@example.org"], lambda: site.recorder.log.read_text())
        until(lambda: "has it:" in _reloaded(page), lambda: page.inner_text("main"))
        expect(page.get_by_label("lead, MP3")).to_be_disabled()
        page.goto(f"{site.url}/audit?action=mail")
        expect(page.locator("tbody tr", has_text="asked by phone")).to_contain_text("user:anna")
    (mail,) = site.mails.mails()
    assert [part.get_content_type() for part in mail.iter_attachments()] == ["audio/mpeg"]


def _reloaded(page: Page) -> str:
    page.reload()
    return page.inner_text("main")


def test_the_first_administrator_gets_in_by_the_log_and_makes_a_test_call(browser: Browser, site: Site):
    line = next(line for line in site.recorder.log.read_text().splitlines() if "one_time_password=" in line)
    once = line.partition("one_time_password=")[2].split()[0]
    with visiting(browser, site, viewport=DESKTOP) as visitor:
        visitor.sign_in("admin", once)
        page = visitor.page
        page.get_by_label("Present password").fill(once)
        page.get_by_label("New password", exact=True).fill(PASSWORD)
        page.get_by_label("New password, again").fill(PASSWORD)
        page.get_by_role("button", name="Set password").click()
        page.wait_for_url("**/recordings")  # not what was recorded: an administrator knows of nothing
        page.goto(f"{site.url}/start")
        page.get_by_role("button", name="Make a test call").click()
        expect(page.get_by_role("status")).to_contain_text("under way")
        expect(page.get_by_role("status")).to_contain_text("2 parties, packets that came: 100 %")
        page.goto(f"{site.url}/recordings/{site.recording}")
        expect(page.locator("h1")).to_have_text("Not found")
        visitor.complaints.clear()  # Chromium reports the 404 itself
        page.goto(f"{site.url}/recordings")
        expect(page.locator("#rows h2")).to_have_text("No recordings yet")


def test_a_second_factor_is_set_up_with_a_picture(browser: Browser, site: Site):
    with visiting(browser, site, viewport=PHONE) as visitor:
        visitor.sign_in("bert")
        page = visitor.go("/account/second-factor")
        page.get_by_role("button", name="Set it up").click()
        page = visitor.go("/account/second-factor", "second-factor-code")
        expect(page.get_by_role("img", name="QR code").locator("svg")).to_be_visible()
        secret = page.locator("small code").inner_text()
        page.get_by_role("textbox", name="Code").fill(pyotp.TOTP(secret).now())
        page.get_by_role("button", name="Put in force").click()
        expect(page.locator(".codes li")).to_have_count(8)


def test_without_scripts_everything_but_the_waveform_is_there(browser: Browser, site: Site):
    with visiting(browser, site, java_script_enabled=False) as visitor:
        visitor.sign_in("anna")
        page = visitor.page
        page.goto(f"{site.url}/recordings")
        page.get_by_role("searchbox").fill("alice")
        page.get_by_role("button", name="Search").click()
        page.locator("#rows tbody a").first.click()
        expect(page.locator("call-player audio")).to_be_visible()
