"""The application: all pages, in one table."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from srs.privacy.roles import CASE_RIGHTS, Right
from srs.web import (
    account,
    announcements,
    audit,
    case_end,
    cases,
    change,
    desk,
    editing,
    grants,
    health,
    link,
    listen,
    live,
    mail,
    programs,
    recordings,
    second_factor,
    settings,
    sign_in,
    sound,
    start,
    state,
    todo,
    use,
    users,
)
from srs.web.api import cases as cases_of_api
from srs.web.api.app import api
from srs.web.failing import HANDLERS
from srs.web.gate import Gate
from srs.web.house import House
from srs.web.metrics import Metrics
from srs.web.pages import STATIC
from srs.web.routes import Page, route

API = "/api/v1"
PAGES = (
    Page("/", start.home, None),
    Page("/start", start.start, Right.SETTINGS),
    Page("/start/call", start.call, Right.SETTINGS, "POST"),
    Page("/recordings", recordings.listed, None),
    Page("/recordings/{id}", recordings.shown, None),
    Page("/recordings/{id}/audio", sound.play, Right.PLAY),
    Page("/recordings/{id}/peaks", sound.peaks_of, Right.PLAY),
    Page("/recordings/{id}/download", sound.download, Right.DOWNLOAD),
    Page("/recordings/{id}/use", use.say, None, "POST"),
    Page("/recordings/{id}/words", change.words, Right.PLAY, "POST"),
    Page("/recordings/{id}/mail", mail.ask, Right.MAIL),
    Page("/recordings/{id}/mail", mail.send, Right.MAIL, "POST"),
    Page("/recordings/{id}/delete", change.ask_delete, Right.DELETE),
    Page("/recordings/{id}/delete", change.delete, Right.DELETE, "POST"),
    Page("/recordings/{id}/hold", change.ask_hold, Right.HOLD),
    Page("/recordings/{id}/hold", change.hold, Right.HOLD, "POST"),
    Page("/searches", recordings.save, None, "POST"),
    Page("/searches/forget", recordings.forget, None, "POST"),
    Page("/live", live.page_of_calls, None),
    Page("/live/calls", live.events, None),
    Page("/live/use", use.say_of_calls, None, "POST"),
    Page("/live/{id}", live.order, Right.CONTROL, "POST"),
    Page("/live/{id}/stop", live.ask_stop, Right.CONTROL),
    Page("/live/{id}/listen", listen.begin, Right.LISTEN, "POST"),
    Page("/state", state.shown, Right.WATCH),
    Page("/users", users.listed, Right.USERS),
    Page("/users", users.add, Right.USERS, "POST"),
    Page("/users/{name}", users.shown, Right.USERS),
    Page("/users/{name}", users.change, Right.USERS, "POST"),
    Page("/requests", grants.shown, None),
    Page("/requests", grants.ask, None, "POST"),
    Page("/requests/{grant}", grants.decide, Right.GRANT, "POST"),
    Page("/audit", audit.listed, Right.AUDIT),
    Page("/tasks", todo.listed, Right.WATCH),
    Page("/tasks/{number}", todo.change, Right.SETTINGS, "POST"),
    Page("/privacy", desk.home, Right.REPORT),
    Page("/privacy/report", desk.report, Right.REPORT),
    Page("/privacy/receipts", desk.receipts, Right.REPORT),
    Page("/privacy/persons", desk.persons, Right.REQUESTS),
    Page("/privacy/persons/access", desk.access, Right.REQUESTS, "POST"),
    Page("/privacy/persons/erase", desk.ask_erase, Right.REQUESTS),
    Page("/privacy/persons/erase", desk.erase, Right.REQUESTS, "POST"),
    Page("/privacy/persons/restrict", desk.restrict, Right.REQUESTS, "POST"),
    Page("/cases", cases.listed, CASE_RIGHTS),
    Page("/cases", cases.open_, Right.CASES, "POST"),
    Page("/cases/{case}", cases.shown, CASE_RIGHTS),
    Page("/cases/{case}/papers", cases.add, CASE_RIGHTS, "POST", upload=True),
    Page("/cases/{case}/papers/{paper}", cases.read, CASE_RIGHTS),
    Page("/cases/{case}/decision", cases.decide, CASE_RIGHTS, "POST"),
    Page("/cases/{case}/hold", case_end.hold, CASE_RIGHTS, "POST"),
    Page("/cases/{case}/recordings", case_end.heard, CASE_RIGHTS),
    Page("/cases/{case}/recordings/{recording}", case_end.play, CASE_RIGHTS),
    Page("/cases/{case}/close", case_end.ask_close, CASE_RIGHTS),
    Page("/cases/{case}/close", case_end.close, CASE_RIGHTS, "POST"),
    Page("/cases/{case}/letters", case_end.read_letters, CASE_RIGHTS),
    Page("/cases/{case}/letters", case_end.settle_letters, CASE_RIGHTS, "POST"),
    Page("/cases/{case}/export", case_end.export, CASE_RIGHTS, "POST"),
    Page("/cases/{case}/destroy", case_end.destroy, CASE_RIGHTS, "POST"),
    Page("/settings", settings.shown, Right.SETTINGS),
    Page("/settings/announcements", announcements.listed, Right.SETTINGS),
    Page("/settings/announcements", announcements.add, Right.SETTINGS, "POST", upload=True),
    Page("/settings/announcements/{name}", announcements.sound, Right.SETTINGS),
    Page("/settings/announcements/{name}/remove", announcements.remove, Right.SETTINGS, "POST"),
    Page("/settings/retention/apply", editing.apply_retention, Right.SETTINGS, "POST"),
    Page("/settings/{subject}", editing.shown, Right.SETTINGS),
    Page("/settings/{subject}", editing.change, Right.SETTINGS, "POST"),
    Page("/settings/{subject}/{place}", editing.item, Right.SETTINGS),
    Page("/settings/{subject}/{place}", editing.change, Right.SETTINGS, "POST"),
    Page("/account", account.shown, None),
    Page("/account", account.change, None, "POST"),
    Page("/account/tokens", programs.listed, None),
    Page("/account/tokens", programs.add, None, "POST"),
    Page("/account/tokens/revoke", programs.revoke, None, "POST"),
    Page("/account/password", account.password_page, None, new_password_first=False),
    Page("/account/password", account.set_password, None, "POST", new_password_first=False),
    Page("/account/second-factor", second_factor.shown, None, second_factor_first=False),
    Page("/account/second-factor", second_factor.change, None, "POST", second_factor_first=False),
    Page("/sign-out", sign_in.leave, None, "POST", new_password_first=False, second_factor_first=False),
)

UPLOADS = (
    *(page.path for page in PAGES if page.upload),
    *(f"{API}{path}" for path in ("/announcements", cases_of_api.UPLOAD)),
)


def application(house: House) -> Starlette:
    """All pages of a recorder."""
    web = house.settings.web
    app = Starlette(
        routes=[
            Mount("/static", Lasting(directory=STATIC)),
            Mount(API, api(house)),
            Route("/sign-in", sign_in.Door(house).page, methods=["GET", "POST"]),
            *_provider_pages(house),
            Route("/link/{token}", link.Links(house).page, methods=["GET", "POST"]),
            Route("/metrics", Metrics(house)),
            Route("/health/live", health.alive),
            Route("/health/ready", health.Ready(house)),
            *(route(house, page) for page in PAGES),
        ],
        middleware=[Middleware(Gate, secure=web.secure, rate=web.requests_per_s, uploads=UPLOADS)],
        exception_handlers=HANDLERS,
    )
    app.state.house = house
    return app


def _provider_pages(house: House) -> list[Route]:
    if house.settings.oidc.issuer is None:
        return []
    from srs.web import oidc  # here: 0.2 s that only a house with a provider needs

    door = oidc.ProviderDoor(house)
    return [Route("/sign-in/oidc", door.leave), Route(oidc.BACK, door.back)]


class Lasting(StaticFiles):
    """Files whose address changes when they do; of one without that a browser asks whether it is still the same."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        lasts = "public, max-age=31536000, immutable"
        response.headers["Cache-Control"] = lasts if scope["query_string"] else "no-cache"
        return response
