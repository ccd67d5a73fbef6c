"""Whatever a page does, the API can too."""

from pathlib import Path

from srs.config import Settings
from srs.web.api.app import api
from srs.web.app import PAGES
from srs.web.house import open_house

FORMS = "a form, or a question before it"
PEOPLE = "a browser's own: passwords, second factors and sessions are for people"
BY_API = {
    "GET /": FORMS,
    "GET /start": FORMS,
    "POST /start/call": "POST /test-call",
    "GET /recordings": "GET /recordings",
    "GET /recordings/{id}": "GET /recordings/{id}",
    "GET /recordings/{id}/audio": "GET /recordings/{id}/audio",
    "GET /recordings/{id}/peaks": "GET /recordings/{id}/peaks",
    "GET /recordings/{id}/download": "GET /recordings/{id}/download",
    "POST /recordings/{id}/use": "each request says its Purpose-Of-Use",
    "POST /recordings/{id}/words": "PATCH /recordings/{id}",
    "GET /recordings/{id}/mail": "GET /recordings/{id}/mail",
    "POST /recordings/{id}/mail": "POST /recordings/{id}/mail",
    "GET /recordings/{id}/delete": FORMS,
    "POST /recordings/{id}/delete": "DELETE /recordings/{id}",
    "GET /recordings/{id}/hold": FORMS,
    "POST /recordings/{id}/hold": "PUT /recordings/{id}/hold, DELETE /recordings/{id}/hold",
    "POST /searches": "PUT /searches/{name}, GET /searches",
    "POST /searches/forget": "DELETE /searches/{name}",
    "GET /live": "GET /calls",
    "GET /live/calls": "GET /calls, GET /calls/{id}",
    "POST /live/use": "each request says its Purpose-Of-Use",
    "POST /live/{id}": "POST /calls/{id}/pause, POST /calls/{id}/resume, POST /calls/{id}/stop, "
    "PUT /calls/{id}/purpose",
    "GET /live/{id}/stop": FORMS,
    "POST /live/{id}/listen": "POST /calls/{id}/listen",
    "GET /state": "GET /state",
    "GET /users": "GET /users",
    "POST /users": "POST /users",
    "GET /users/{name}": "GET /users/{name}",
    "POST /users/{name}": "PUT /users/{name}/roles/{role}, DELETE /users/{name}/roles/{role}, PATCH /users/{name}, "
    "POST /users/{name}/password, DELETE /users/{name}/second-factor",
    "GET /requests": "GET /grants",
    "POST /requests": "POST /grants",
    "POST /requests/{grant}": "POST /grants/{grant}/decision",
    "GET /audit": "GET /audit",
    "GET /tasks": "GET /tasks",
    "POST /tasks/{number}": "POST /tasks/{number}/retry, POST /tasks/{number}/cancel",
    "GET /privacy": FORMS,
    "GET /privacy/report": "GET /report",
    "GET /privacy/receipts": "GET /deletions",
    "GET /privacy/persons": "GET /persons/recordings, GET /persons/requests",
    "POST /privacy/persons/access": "POST /persons/access",
    "GET /privacy/persons/erase": FORMS,
    "POST /privacy/persons/erase": "POST /persons/erasure",
    "POST /privacy/persons/restrict": "POST /persons/restriction",
    "GET /cases": "GET /cases",
    "POST /cases": "POST /cases",
    "GET /cases/{case}": "GET /cases/{case}",
    "POST /cases/{case}/papers": "POST /cases/{case}/papers",
    "GET /cases/{case}/papers/{paper}": "GET /cases/{case}/papers/{paper}",
    "POST /cases/{case}/decision": "POST /cases/{case}/decision",
    "POST /cases/{case}/hold": "PUT /cases/{case}/hold, DELETE /cases/{case}/hold",
    "GET /cases/{case}/recordings": "GET /cases/{case}/recordings",
    "GET /cases/{case}/recordings/{recording}": "GET /cases/{case}/recordings/{recording}/audio",
    "GET /cases/{case}/close": FORMS,
    "POST /cases/{case}/close": "POST /cases/{case}/close",
    "GET /cases/{case}/letters": "GET /cases/{case}/letters",
    "POST /cases/{case}/letters": "POST /cases/{case}/letters/mail, POST /cases/{case}/letters/handed",
    "POST /cases/{case}/export": "POST /cases/{case}/export",
    "POST /cases/{case}/destroy": "POST /cases/{case}/destroy",
    "GET /settings": "GET /settings",
    "GET /settings/announcements": "GET /announcements",
    "POST /settings/announcements": "POST /announcements",
    "GET /settings/announcements/{name}": "GET /announcements/{name}",
    "POST /settings/announcements/{name}/remove": "DELETE /announcements/{name}",
    "POST /settings/retention/apply": "POST /retention/apply, GET /retention/preview",
    "GET /settings/{subject}": "GET /settings/{subject}, GET /settings/{subject}/schema",
    "POST /settings/{subject}": "PUT /settings/{subject}, POST /settings/{subject}/preview",
    "GET /settings/{subject}/{place}": "GET /settings/{subject}",
    "POST /settings/{subject}/{place}": "POST /settings/{subject}, PUT /settings/{subject}/{place}, "
    "DELETE /settings/{subject}/{place}, POST /settings/{subject}/{place}/move",
    "GET /account": "GET /me",
    "POST /account": "PATCH /me",
    "GET /account/tokens": "GET /me/tokens",
    "POST /account/tokens": "POST /me/tokens",
    "POST /account/tokens/revoke": "DELETE /me/tokens/{token}",
    "GET /account/password": PEOPLE,
    "POST /account/password": PEOPLE,
    "GET /account/second-factor": PEOPLE,
    "POST /account/second-factor": PEOPLE,
    "POST /sign-out": PEOPLE,
}
"""What a page does -> which paths of the API do it, or why none has to."""


def test_the_api_does_everything_that_the_pages_do(tmp_path: Path):
    pages = {f"{page.method} {page.path}" for page in PAGES}
    assert pages == BY_API.keys()
    described = api(open_house(Settings(data_dir=tmp_path))).openapi()["paths"]
    paths = {f"{method.upper()} {path}" for path, operations in described.items() for method in operations}
    named = {path for told in BY_API.values() if "/" in told for path in told.split(", ")}
    assert named <= paths
