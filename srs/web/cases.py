"""Cases of secret recording: opened, given papers, approved, followed. Who may not know of one is told nothing.

None of this is in the audit that others read: each case has a chain of its own (`srs.privacy.cases.journal`).
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from starlette.responses import Response

from srs.privacy.cases import approval
from srs.privacy.cases.cabinet import Actor, Cabinet
from srs.privacy.cases.dossier import Opening, open_case, seen_by
from srs.privacy.cases.letters import waiting_letters
from srs.privacy.cases.papers import LACKS, Document, add_paper, read_paper
from srs.privacy.cases.steps import Step, state, steps
from srs.privacy.cases.tables import Case, CasePaper, PaperKind
from srs.privacy.cases.view import view
from srs.privacy.errors import Misuse
from srs.privacy.report_words import Language
from srs.privacy.roles import Right
from srs.web.asker import Asker
from srs.web.pages import back, page
from srs.web.visit import Visit

ROOT: Final = "/cases"


def cabinet(asker: Asker) -> Cabinet:
    """Where the cases of the recorder are."""
    return Cabinet(asker.house.settings, asker.house.engine, asker.house.store)


def actor(asker: Asker) -> Actor:
    """Whoever asks, as cases know them."""
    return Actor(asker.person, asker.origin)


def id_of(visit: Visit) -> str:
    """Of the case that the path names."""
    return str(visit.request.path_params["case"])


def unnamed(path: str) -> str:
    """A path without the id of a case, for the log: those who read it may not know that there is one."""
    return re.sub("/cases/[^/]+", "/cases/…", path)


def language(visit: Visit) -> Language:
    return "nl" if visit.say.language == "nl" else "en"


def known(asker: Asker) -> Iterator[tuple[Case, str, list[Step]]]:
    """The cases that somebody may know of, newest first: where each stands, what is due."""
    place, now = cabinet(asker), asker.now
    waiting = waiting_letters(asker.house.engine)
    for case in seen_by(place, actor(asker), now):
        yield case, state(case, now), steps(case, waiting.get(case.id, []), place.settings, now)


def listed(visit: Visit) -> Response:
    longest = visit.house.settings.cases.longest_days
    may_open = visit.may(Right.CASES)
    return page(visit, "cases.html", cases=list(known(visit)), said=language(visit), may_open=may_open, longest=longest)


def open_(visit: Visit) -> Response:
    """Open a case; it records nothing yet."""
    form = visit.form
    told = Opening(
        form.get("suspicion", ""),
        parts(form.get("persons", "")),
        _moment(form.get("since")) or visit.now,
        _moment(form.get("until")) or visit.now,
        form.get("no_council", "").strip() or None,
        parts(form.get("investigators", "")),
    )
    return back(f"{ROOT}/{open_case(cabinet(visit), actor(visit), told, visit.now).id}")


def parts(text: str) -> tuple[str, ...]:
    """What has commas or lines between."""
    return tuple(part.strip() for part in text.replace("\n", ",").split(",") if part.strip())


def _moment(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError as error:
        raise Misuse(f"{text!r} is no time: give it as 2026-12-31T18:00 (UTC)") from error
    return moment and (moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def shown(visit: Visit) -> Response:
    """All that the visitor may know of a case."""
    seen = view(cabinet(visit), actor(visit), id_of(visit), visit.now)
    said = language(visit)
    lacks = [LACKS[kind][said] for kind in seen.lacks]
    return page(visit, "case.html", seen=seen, case=seen.case, lacks=lacks, said=said, kinds=list(PaperKind))


# Papers, and the second person


def add(visit: Visit) -> Response:
    """Add a paper."""
    kind = visit.form.get("kind", "")
    if visit.upload is None or not visit.upload.filename or kind not in list(PaperKind):
        raise Misuse("choose a file, and what it is")
    reference = visit.form.get("reference", "").strip() or None
    document = Document(PaperKind(kind), visit.upload.filename, visit.upload.file.read(), reference)
    add_paper(cabinet(visit), actor(visit), id_of(visit), document, visit.now)
    return back(f"{ROOT}/{id_of(visit)}")


def read(visit: Visit) -> Response:
    """A paper, as it was given."""
    return as_file(
        *read_paper(cabinet(visit), actor(visit), id_of(visit), visit.request.path_params["paper"], visit.now)
    )


def as_file(paper: CasePaper, content: bytes) -> Response:
    """A paper to be kept as a file, not to be opened in the recorder's name; its own name is in the case."""
    headers = {"Content-Disposition": f'attachment; filename="{paper.kind}_{paper.id[:8]}{paper.suffix}"'}
    return Response(content, headers=headers, media_type="application/octet-stream")


def decide(visit: Visit) -> Response:
    """Approve a case, or refuse it with a reason."""
    where, who, id_ = cabinet(visit), actor(visit), id_of(visit)
    if visit.form.get("do") == "approve":
        approval.approve(where, who, id_, visit.now)
    else:
        approval.refuse(where, who, id_, reason(visit), visit.now)
    return back(f"{ROOT}/{id_}")


def reason(visit: Visit) -> str:
    """
    Raises:
        Misuse: none is given.
    """
    if not (text := visit.form.get("reason", "").strip()):
        raise Misuse("say why: the reason is kept with the case")
    return text
