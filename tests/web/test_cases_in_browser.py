"""A case as its people meet it in Chromium, in both languages, from suspicion to letter."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from support.browsing import Site, visiting
from support.calls import Talk, make_plan
from support.recorder import until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}


def test_a_case_from_suspicion_to_letter(browser: Browser, site: Site, tmp_path: Path):
    paper = tmp_path / "paper.pdf"
    paper.write_bytes(b"%PDF of the case")
    with visiting(browser, site, viewport=DESKTOP) as ivy, visiting(browser, site, viewport=PHONE) as olga:
        ivy.sign_in("ivy")
        page = ivy.go("/cases", "ivy-cases")
        page.get_by_label("Suspicion").fill("leaks to a competitor")
        page.get_by_label("Whose calls").fill("bob, carol")
        page.get_by_label("Until").fill(f"{datetime.now(UTC) + timedelta(days=20):%Y-%m-%dT%H:%M}")
        page.get_by_label("works council").fill("fewer than 50 people")
        page.get_by_role("button", name="Open a case").click()
        expect(page.locator(".hint li")).to_have_count(2)
        at = page.url.removeprefix(site.url)
        for kind, reference in (("dpia", ""), ("authority", "AP 1")):
            page.locator("[name=file]").set_input_files(paper)
            page.locator("[name=kind]").select_option(kind)
            page.locator("[name=reference]").fill(reference)
            page.get_by_role("button", name="Add").click()
        expect(page.locator(".hint li")).to_have_count(0)

        olga.sign_in("olga")
        other = olga.go(at, "olga-case")
        expect(other.locator("html")).to_have_attribute("lang", "nl")
        other.get_by_role("button", name="Goedkeuren").click()
        expect(other.locator(".facts")).to_contain_text("neemt op")

        Talk(make_plan(site.recorder, 1.0)).outcomes()

        def recorded() -> bool:
            ivy.page.goto(f"{site.url}{at}")
            return ivy.page.get_by_role("link", name="1 recordings").is_visible()

        until(recorded, site.recorder.log.read_text)
        page = ivy.go(f"{at}/recordings", "ivy-case-recordings")
        page.evaluate("document.querySelector('audio').play()")
        page.wait_for_function("() => document.querySelector('audio').currentTime > 0.3")

        page = ivy.go(f"{at}/close", "ivy-case-close")
        page.locator("[value='no offence']").check()
        page.get_by_label("What the outcome rests on").fill("unfounded")
        page.get_by_role("button", name="Close for good").click()
        expect(page.locator("h2", has_text="Receipt")).to_be_visible()
        ivy.go(at, "ivy-case-closed")
        other = olga.go(f"{at}/letters", "olga-case-letters")
        other.get_by_role("button", name="Hij is overhandigd").first.click()
        expect(other.get_by_text("handed over by user:olga")).to_be_visible()
