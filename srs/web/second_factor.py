"""The second factor of whoever visits: set up, recovery codes, taken away."""

import io

import segno
from markupsafe import Markup
from sqlmodel import Session
from starlette.responses import Response

from srs.archive.database import reading, writing
from srs.privacy import passwords, second_factor, users
from srs.privacy.errors import Misuse, SignInRefused
from srs.privacy.tables import User
from srs.web.pages import back, page
from srs.web.routes import SECOND_FACTOR
from srs.web.visit import Visit


def shown(visit: Visit) -> Response:
    return _page(visit)


def _page(visit: Visit, *, codes: list[str] | None = None, problem: str | None = None) -> Response:
    """What there is; a secret that is not yet in force as a picture for a telephone, and codes just made."""
    with reading(visit.house.engine) as session:
        user = users.get(session, visit.user.name)
        left = second_factor.codes_left(session, user)
    uri = passwords.enrolment_uri(user.totp_pending, user.name) if user.totp_pending else None
    return page(
        visit,
        "second_factor.html",
        400 if problem else 200,
        account=user,
        left=left,
        codes=codes,
        problem=problem,
        picture=qr(uri) if uri else None,
    )


def qr(text: str) -> Markup:
    """A QR code as SVG without styles: those of a page are its own."""
    drawn = io.BytesIO()
    segno.make(text, error="m").save(drawn, kind="svg", xmldecl=False, svgns=False, scale=5, border=2, light="#fff")
    return Markup(drawn.getvalue().decode())


def change(visit: Visit) -> Response:
    """One thing, as the button says that was pressed."""
    wanted, codes = visit.form.get("do", ""), None
    try:
        with writing(visit.house.engine) as session:
            user = users.get(session, visit.user.name)
            codes = _change(visit, session, user, wanted)
            if wanted != "begin":
                visit.note(f"second factor: {wanted}", f"user:{user.name}", within=session)
    except SignInRefused:
        return _page(visit, problem=visit.say("The code is wrong: look whether the telephone's clock is right."))
    return _page(visit, codes=codes) if codes else back(SECOND_FACTOR)


def _change(visit: Visit, session: Session, user: User, wanted: str) -> list[str] | None:
    """Do it; returns recovery codes where it makes them."""
    code = visit.form.get("code", "")
    match wanted:
        case "begin" if user.totp_secret is None:
            second_factor.begin(user)
        case "finish":
            return second_factor.finish(session, user, code, visit.now)
        case "codes" | "drop" if user.totp_secret is not None:
            if second_factor.proof(session, user, code, visit.now) is None:
                raise SignInRefused("a code is needed to change the second factor")
            if wanted == "codes":
                return second_factor.new_codes(session, user)
            second_factor.drop(session, user)
        case _:
            raise Misuse("nothing that can be changed")
    return None
