"""A case as its people meet it in Chromium, in both languages, from suspicion to letter."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from support.browsing import WALKS, Site, Walk, visiting
from support.calls import Talk, make_plan
from support.recorder import until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_a_case_from_suspicion_to_letter(browser: Browser, site: Site, tmp_path: Path, walk: Walk):
    """The second person has the other language and the other width."""
    paper = tmp_path / "paper.pdf"
    paper.write_bytes(b"%PDF of the case")
    other_walk = next(each for each in WALKS if each.language != walk.language and each.width != walk.width)
    with visiting(browser, site, **walk.browser) as ivy, visiting(browser, site, **other_walk.browser) as olga:
        say, names = ivy.say, {"en": ("ivy", "olga"), "nl": ("iris", "oscar")}[walk.language]
        ivy.sign_in(names[0])
        page = ivy.go("/cases", "cases-own")
        page.get_by_label(say("Suspicion")).fill("leaks to a competitor")
        page.get_by_label(say("Whose calls: numbers or extensions, with commas between")).fill("bob, carol")
        until_then = f"{datetime.now(UTC) + timedelta(days=20):%Y-%m-%dT%H:%M}"
        page.get_by_label({"en": "Until", "nl": "Tot ("}[walk.language]).fill(until_then)
        page.get_by_label(say("Why the works council has no say in it, where it has none")).fill("fewer than 50 people")
        page.get_by_role("button", name=say("Open a case")).click()
        expect(page.locator(".hint li")).to_have_count(2)
        at = page.url.removeprefix(site.url)
        for kind, reference in (("dpia", ""), ("authority", "AP 1")):
            page.locator("[name=file]").set_input_files(paper)
            page.locator("[name=kind]").select_option(kind)
            page.locator("[name=reference]").fill(reference)
            page.get_by_role("button", name=say("Add")).click()
        expect(page.locator(".hint li")).to_have_count(0)

        olga.sign_in(names[1])
        other = olga.go(at, "case-decision")
        expect(other.locator("html")).to_have_attribute("lang", other_walk.language)
        other.get_by_role("button", name=olga.say("Approve")).click()
        expect(other.locator(".facts")).to_contain_text(olga.say("case recording"))

        Talk(make_plan(site.recorder, 1.0)).outcomes()

        def recorded() -> bool:
            ivy.page.goto(f"{site.url}{at}")
            return ivy.page.get_by_role("link", name=say("{count} recordings", count=1)).is_visible()

        until(recorded, site.recorder.log.read_text)
        page = ivy.go(f"{at}/recordings", "case-recordings")
        page.evaluate("document.querySelector('audio').play()")
        page.wait_for_function("() => document.querySelector('audio').currentTime > 0.3")

        page = ivy.go(f"{at}/close", "case-close")
        page.locator("[value='no offence']").check()
        page.get_by_label(say("What the outcome rests on")).fill("unfounded")
        page.get_by_role("button", name=say("Close for good")).click()
        expect(page.locator("h2", has_text=say("Receipt"))).to_be_visible()
        ivy.go(at, "case-closed")
        other = olga.go(f"{at}/letters", "case-letters")
        other.get_by_role("button", name=olga.say("It was handed over")).first.click()
        expect(other.get_by_text(f"handed over by user:{names[1]}")).to_be_visible()
