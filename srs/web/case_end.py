"""What a case recorded, and its end: closed, handed out, destroyed, the employees told."""

from pathlib import Path

from starlette.responses import Response

from srs.privacy.cases import closing, evidence, letters
from srs.privacy.cases.recordings import recordings, sound
from srs.privacy.cases.tables import Outcome
from srs.privacy.cases.view import view
from srs.privacy.errors import Misuse
from srs.web.asker import Asker
from srs.web.cases import ROOT, actor, cabinet, id_of, parts, reason
from srs.web.pages import back, page
from srs.web.sound import TYPES, ranged, zipped
from srs.web.visit import Visit


def heard(visit: Visit) -> Response:
    """What a case recorded, to be heard in the page; for its investigators."""
    id_ = id_of(visit)
    found = recordings(cabinet(visit), actor(visit), id_, visit.now)
    return page(visit, "case_recordings.html", id=id_, recordings=found)


def play(visit: Visit) -> Response:
    return played(visit, id_of(visit), visit.request.path_params["recording"], visit.request.headers.get("range"))


def played(asker: Asker, case: str, recording: str, asked: str | None) -> Response:
    """The sound of a recording of a case, or the range of it that is asked for."""
    goes_on = asked is not None and not asked.startswith("bytes=0-")  # a player gets it piece by piece
    row, file = sound(cabinet(asker), actor(asker), case, recording, asker.now, goes_on=goes_on)
    return ranged(file, f'"{row.sha256}"', TYPES["wav"], asked)


# Its end


def ask_close(visit: Visit) -> Response:
    """What will happen."""
    seen = view(cabinet(visit), actor(visit), id_of(visit), visit.now)
    outcomes = [Outcome.OFFENCE, Outcome.NO_OFFENCE] if seen.case.approved_at else [Outcome.WITHDRAWN]
    return page(visit, "case_close.html", case=seen.case, outcomes=outcomes)


def close(visit: Visit) -> Response:
    """Close a case; without an offence all of it is destroyed at once."""
    outcome, id_ = visit.form.get("outcome", ""), id_of(visit)
    if outcome not in list(Outcome):
        raise Misuse("say how it ends")
    cleared = [name.removeprefix("cleared-") for name in visit.form if name.startswith("cleared-")]
    closing.close(cabinet(visit), actor(visit), id_, Outcome(outcome), reason(visit), visit.now, cleared)
    return back(f"{ROOT}/{id_}")


def hold(visit: Visit) -> Response:
    """Put a case under legal hold, or release it."""
    held = visit.form.get("do") != "release"
    closing.hold(cabinet(visit), actor(visit), id_of(visit), reason(visit), visit.now, held=held)
    return back(f"{ROOT}/{id_of(visit)}")


def destroy(visit: Visit) -> Response:
    """Destroy a case that was closed with an offence."""
    closing.destroy_closed(cabinet(visit), actor(visit), id_of(visit), reason(visit), visit.now)
    return back(f"{ROOT}/{id_of(visit)}")


def export(visit: Visit) -> Response:
    """Hand a case out."""
    return handed_out(visit, id_of(visit), parts(visit.form.get("to", "")))


def handed_out(asker: Asker, case: str, to: tuple[str, ...]) -> Response:
    """A ZIP of a case that is closed with an offence, each file sealed for those who are to open it."""

    def fill(folder: Path) -> None:
        evidence.export(cabinet(asker), actor(asker), case, to, folder / "case", asker.now)

    return zipped(fill, "evidence.zip")


# Letters


def read_letters(visit: Visit) -> Response:
    """The letters that are not with the employees yet, to be printed."""
    id_ = id_of(visit)
    found = letters.of_case(cabinet(visit), actor(visit), id_, visit.now)
    return page(visit, "case_letters.html", id=id_, letters=found)


def settle_letters(visit: Visit) -> Response:
    """Mail them, or note that one was handed over."""
    place, who, id_ = cabinet(visit), actor(visit), id_of(visit)
    if visit.form.get("do") == "mail":
        letters.send(place, who, id_, visit.now)
    else:
        letters.hand_over(place, who, id_, visit.form.get("person", ""), visit.now)
    return back(f"{ROOT}/{id_}/letters")
