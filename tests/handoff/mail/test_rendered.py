"""The text of mails as people see it, in a browser."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, sync_playwright
from support.browsing import CHROMIUM, SHOTS, SWITCHES

from srs.config.mail import MailRule
from srs.handoff.mail.message import Letter, compose

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is missing: apt-get install chromium"),
]
LINK = f"https://recorder.example.com/link/{43 * 'x'}"
HOSTILE = "sip:<script/src=x"


@pytest.fixture(scope="module")
def telephone() -> Iterator[Page]:
    """A narrow screen; what is asked of the network fails."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        page = browser.new_page(viewport={"width": 320, "height": 640})
        page.route("**", lambda route: route.abort())
        yield page
        browser.close()


@pytest.mark.parametrize(("language", "title"), [("en", "A call was recorded"), ("nl", "Er is een gesprek opgenomen")])
@pytest.mark.parametrize("link", [None, LINK], ids=["attached", "link"])
def test_a_mail_is_fit_for_a_telephone(shelf, telephone: Page, language: str, title: str, link: str | None):
    row = shelf.record(shelf.settings(), purpose="training", caller=HOSTILE, callee=f"sip:{60 * 'a'}@example.com")
    rule = MailRule(name="boss", to=["boss@example.com"], language=language, delete_after=True)
    until = shelf.clock() + timedelta(days=14)
    letter = Letter(rule, "recorder@example.org", ["boss@example.com"], link=link, link_until=link and until)
    asked: list[str] = []
    telephone.on("request", lambda request: asked.append(request.url))
    telephone.set_content(compose(row, letter, None).get_body(["html"]).get_content())
    seen = telephone.inner_text("body")
    assert all(words in seen for words in (title, "<script/src=x", 60 * "a", "0:00:01", "training", "a1"))
    assert (link or "") in seen
    assert telephone.title() != "1"
    assert asked == []
    assert telephone.evaluate("document.documentElement.scrollWidth") <= 320
    found = Axe().run(telephone, options={"runOnly": ["wcag2a", "wcag2aa"], "resultTypes": ["violations"]})
    assert found.response["violations"] == []
    if SHOTS:
        telephone.screenshot(path=f"{SHOTS}/mail-{language}-{'link' if link else 'attached'}.png")
