"""From a template to an answer."""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.responses import HTMLResponse, RedirectResponse, Response

from srs.privacy.roles import CASE_RIGHTS, Needed, Right
from srs.web.language import LANGUAGES, Speaker
from srs.web.visit import Visit

HERE: Final = Path(__file__).parent
STATIC: Final = HERE / "static"
MENU: Final[tuple[tuple[str, str, str, Needed | None], ...]] = (
    ("/recordings", "Recordings", "recordings", None),
    ("/live", "Live", "live", None),
    ("/state", "State", "state", Right.WATCH),
    ("/requests", "Requests", "check", None),
    ("/privacy", "Privacy", "lock", Right.REPORT),
    ("/cases", "Cases", "case", CASE_RIGHTS),
    ("/users", "Users", "users", Right.USERS),
    ("/audit", "Audit", "audit", Right.AUDIT),
    ("/settings", "Settings", "settings", Right.SETTINGS),
)
"""Path, name, icon, and the right that shows it, or one of which."""


@cache
def environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"clock": clock, "party": party, "moment": moment, "size": size, "percent": percent, "bare": bare}
    made.globals |= {"static": static, "languages": LANGUAGES, "urlencode": urlencode}
    return made


@cache
def static(name: str) -> str:
    """Address of a file of ours; a new one when it changes, so that browsers may keep it."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?{digest}"


def page(visit: Visit, template: str, status: int = 200, /, **values: object) -> Response:
    """A page for somebody who is signed in."""
    menu = [(path, name, icon) for path, name, icon, right in MENU if right is None or visit.may(right)]
    known = {"visit": visit, "user": visit.user, "menu": menu, "path": visit.request.url.path, "Right": Right}
    return plain(visit.say, template, status, **known, **values)


def plain(say: Speaker, template: str, status: int = 200, /, **values: object) -> Response:
    """A page for anybody."""
    around: Mapping[str, object] = {"visit": None, "user": None, "menu": [], "path": ""}
    text = environment().get_template(template).render({**around, "_": say, "language": say.language, **values})
    return HTMLResponse(text, status)


def back(to: str) -> Response:
    """After a change: the page that shows it."""
    return RedirectResponse(to, 303)


# How things are said


def clock(seconds: float | None) -> str:
    """`1:02:03` or `2:03`."""
    whole = round(seconds or 0)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def party(address: str | None) -> str:
    """`+31201234567` of `sip:+31201234567@example.com`, `alice@example.com` of `sip:alice@example.com`."""
    if not address:
        return "—"
    bare = address.partition(":")[2] if address.lower().startswith(("sip:", "sips:", "tel:")) else address
    user = bare.partition("@")[0].partition(";")[0]
    return user if user.removeprefix("+").isdecimal() else bare


def moment(when: datetime) -> str:
    """ISO 8601 in UTC, to the second: what `<time datetime>` wants."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def size(octets: float | None) -> str:
    """`12.3 MB`."""
    amount = float(octets or 0)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def bare(text: str) -> str:
    """A description from the settings without its marks."""
    return re.sub(r"`|\[\[|\]\]", "", text)


def percent(share: float) -> str:
    """`99.98 %`; never rounded up to 100."""
    return "100 %" if share >= 1 else f"{min(share * 100, 99.99):.2f} %"
