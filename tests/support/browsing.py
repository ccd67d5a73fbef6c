"""Somebody at a browser that takes no error for normal."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from support.recorder import Recorder
from support.smtp import Server

from srs.web.language import Speaker

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SWITCHES = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
]
PASSWORD = "correct horse battery"
SHOTS = os.environ.get("SRS_SCREENSHOTS")
"""A folder for pictures of the pages."""
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}


@dataclass(frozen=True)
class Walk:
    """A way that pages are walked: in a language, at a width."""

    language: str
    width: str
    user: str
    """Who has the language and may nearly everything."""

    def __str__(self) -> str:
        return f"{self.language}-{self.width}"

    @property
    def browser(self) -> dict[str, object]:
        """Options of its browser; in Dutch it is dark."""
        width, scheme = PHONE if self.width == "phone" else DESKTOP, "dark" if self.language == "nl" else "light"
        return {"viewport": width, "locale": self.language, "color_scheme": scheme}


WALKS = [Walk(*each) for each in (("en", "desktop", "anna"), ("nl", "phone", "jan"))]
WALKS += [Walk(*each) for each in (("en", "phone", "anna"), ("nl", "desktop", "jan"))]
ALL_WAYS = bool(SHOTS or os.environ.get("SRS_WALKS"))


@dataclass(frozen=True)
class Site:
    """The pages of a running recorder."""

    url: str
    recorder: Recorder
    recording: str
    mails: Server
    """Takes the mail that it sends."""


class Visitor:
    """Somebody at a browser; whatever the browser complains of fails the test."""

    def __init__(self, page: Page, site: Site, allow: tuple[str, ...], language: str) -> None:
        self.page, self.site = page, site
        self.say = Speaker(language)
        """What the pages say, as the visitor reads it."""
        self._allow = allow
        self.complaints: list[str] = []
        page.on("console", lambda message: message.type == "error" and self._complain(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._on_request)

    def _complain(self, text: str) -> None:
        if not any(word in text for word in self._allow):
            self.complaints.append(text)

    def _on_request(self, request: object) -> None:
        address = str(getattr(request, "url", ""))
        if not address.startswith((self.site.url, "blob:", "data:")):
            self.complaints.append(f"request elsewhere: {address}")

    def sign_in(self, name: str, password: str = PASSWORD) -> None:
        self.page.goto(f"{self.site.url}/sign-in")
        self.page.locator("[name=name]").fill(name)
        self.page.locator("[name=password]").fill(password)
        self.page.locator("button.primary").click()
        self.page.wait_for_url(re.compile("^(?!.*sign-in)"))

    def go(self, path: str, shot: str | None = None) -> Page:
        """Open a page; it must be fit for everybody."""
        self.page.goto(self.site.url + path)
        found = Axe().run(self.page, options={"resultTypes": ["violations"]}).response["violations"]
        assert found == [], [(each["id"], [node["html"] for node in each["nodes"]][:3]) for each in found]
        wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{path} is wider than the screen by {wide}"
        if SHOTS and shot:
            self.shoot(shot)
        return self.page

    def shoot(self, shot: str) -> None:
        """A picture for docs, named by what it shows, the language and the width."""
        language = self.page.evaluate("document.documentElement.lang")
        width = "phone" if self.page.evaluate("innerWidth") < 600 else "desktop"
        self.page.screenshot(path=f"{SHOTS}/{shot}-{language}-{width}.png", full_page=True)


@contextmanager
def visiting(browser: Browser, site: Site, allow: tuple[str, ...] = (), **options: object) -> Iterator[Visitor]:
    """
    Args:
        allow: words of complaints that are to be expected.
    """
    context = browser.new_context(ignore_https_errors=True, **options)  # type: ignore[arg-type]
    context.set_default_timeout(30_000)
    visitor = Visitor(context.new_page(), site, allow, str(options.get("locale", "en")))
    yield visitor
    context.close()
    assert visitor.complaints == []
