"""The API: all its paths, how it describes itself, and its errors."""

from importlib.metadata import version
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from pydantic import BaseModel

from srs.web.api import (
    announcements,
    audit,
    calls,
    cases,
    house,
    leave,
    mail,
    people,
    persons,
    proof,
    recordings,
    searches,
    settings,
    sound,
    tasks,
    tokens,
)
from srs.web.api.problems import BASE, KINDS, Problem, explain
from srs.web.asker import NotFound
from srs.web.house import House

about = APIRouter(tags=["errors"])

ROUTERS: Final = (
    about,
    recordings.router,
    searches.router,
    sound.router,
    mail.router,
    calls.router,
    tasks.router,
    people.router,
    tokens.router,
    leave.router,
    audit.router,
    persons.router,
    cases.router,
    proof.router,
    house.router,
    settings.router,
    announcements.router,
)
_PROBLEM: Final[dict[int | str, dict[str, Any]]] = {
    "default": {
        "description": "A problem (RFC 9457); GET /problems lists the types.",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}


class Api(FastAPI):
    """Describes also what is the same for all paths."""

    def openapi(self) -> dict[str, Any]:
        made = super().openapi()
        schemas = made.setdefault("components", {}).setdefault("schemas", {})
        if "Problem" not in schemas:
            problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas |= problem.pop("$defs") | {"Problem": problem}
            for operations in made["paths"].values():
                if post := operations.get("post"):
                    post.setdefault("parameters", []).append(_KEY)
        return made


_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "With it the request is carried out once, however often it is sent within a day.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}


def api(recorder: House) -> FastAPI:
    """The application of `/api/v1`."""
    app = Api(
        title="siprec-srs",
        version=version("siprec-srs"),
        description="Everything that the pages do, for programs. docs/api.md has examples.",
        docs_url=None,  # its page loads from elsewhere
        redoc_url=None,
        responses=_PROBLEM,
    )
    app.state.house = recorder
    explain(app)
    for router in ROUTERS:
        app.include_router(router)
    app.state.routes = [route for router in ROUTERS for route in router.routes]
    return app


class Sort(BaseModel):
    """A type of problem."""

    type: str
    status: int
    title: str


@about.get("/problems")
def problems() -> list[Sort]:
    """Every type of problem there is."""
    return [_sort(name) for name in KINDS]


@about.get("/problems/{name}")
def problem(name: str) -> Sort:
    """What a type of problem means."""
    if name not in KINDS:
        raise NotFound
    return _sort(name)


def _sort(name: str) -> Sort:
    return Sort(type=BASE + name, status=KINDS[name].status, title=KINDS[name].title)
