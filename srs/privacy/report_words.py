"""The words of the data-protection report, in Dutch and English."""

from typing import Final, Literal

Language = Literal["nl", "en"]

WORDS: Final[dict[str, dict[Language, str]]] = {
    "title": {"nl": "Rapportage gegevensbescherming gespreksopnamen", "en": "Data-protection report on call recording"},
    "period": {"nl": "Periode", "en": "Period"},
    "until": {"nl": "t/m", "en": "to"},
    "summary": {"nl": "Samenvatting", "en": "Summary"},
    "calls": {"nl": "Opgenomen gesprekken", "en": "Recorded calls"},
    "not_kept": {"nl": "Gesprekken waarvan het geluid niet is bewaard", "en": "Calls whose sound was not kept"},
    "unassigned": {"nl": "zonder doel", "en": "without purpose"},
    "notice_rate": {"nl": "Gesprekken waarin iedereen is geïnformeerd", "en": "Calls in which everybody was told"},
    "untold": {"nl": "Gesprekken zonder melding", "en": "Calls without notice"},
    "not_recorded": {
        "nl": "Gesprekken op lijsten van de centrale zonder opname",
        "en": "Calls on the exchange's lists without recording",
    },
    "not_compared": {"nl": "niet vergeleken", "en": "not compared"},
    "kept": {"nl": "Opnamen die nu worden bewaard", "en": "Recordings kept now"},
    "overdue": {"nl": "waarvan langer dan de bewaartermijn", "en": "of these longer than their period"},
    "held": {"nl": "waarvan geblokkeerd voor verwijdering (legal hold)", "en": "of these under legal hold"},
    "purpose": {"nl": "Doel", "en": "Purpose"},
    "number": {"nl": "Aantal", "en": "Number"},
    "by_purpose": {"nl": "Gesprekken per doel", "en": "Calls by purpose"},
    "by_day": {"nl": "Gesprekken per dag", "en": "Calls by day"},
    "by_notice": {"nl": "Gespreksdeelnemers: geïnformeerd?", "en": "Parties: were they told?"},
    "deletions": {"nl": "Verwijderde opnamen", "en": "Deleted recordings"},
    "requests": {"nl": "Verzoeken van betrokkenen", "en": "Requests of data subjects"},
    "cases": {"nl": "Afgesloten zaken van heimelijke opname", "en": "Closed cases of secret recording"},
    "offence": {"nl": "strafbaar feit", "en": "offence"},
    "no offence": {"nl": "geen strafbaar feit; vernietigd", "en": "no offence; destroyed"},
    "withdrawn": {"nl": "ingetrokken voor goedkeuring", "en": "withdrawn before approval"},
    "refused": {"nl": "niet goedgekeurd", "en": "not approved"},
    "none": {"nl": "geen", "en": "none"},
    "not_measured": {"nl": "niet gemeten", "en": "not measured"},
    "heard": {"nl": "melding gehoord", "en": "heard the announcement"},
    "outside": {"nl": "vooraf geïnformeerd", "en": "told beforehand"},
    "staff": {"nl": "medewerker", "en": "member of staff"},
    "missing": {"nl": "geen melding gevonden", "en": "no announcement found"},
    "unchecked": {"nl": "niet gecontroleerd", "en": "not checked"},
    "access": {"nl": "inzage (art. 15 AVG)", "en": "access (GDPR art. 15)"},
    "erasure": {"nl": "wissing (art. 17 AVG)", "en": "erasure (GDPR art. 17)"},
    "restriction": {"nl": "beperking (art. 18 AVG)", "en": "restriction (GDPR art. 18)"},
    "release": {"nl": "einde van een beperking", "en": "end of a restriction"},
    "retention": {"nl": "einde van de bewaartermijn", "en": "end of the retention period"},
    "handed over": {"nl": "overgedragen", "en": "handed over"},
    "by hand": {"nl": "handmatig", "en": "by hand"},
    "erasure, GDPR article 17": {"nl": "verzoek om wissing (art. 17 AVG)", "en": "request for erasure (GDPR art. 17)"},
    "erased before, came back with a restored backup": {
        "nl": "teruggekomen met een back-up en opnieuw gewist",
        "en": "came back with a backup, erased again",
    },
    "training": {"nl": "training", "en": "training"},
    "quality": {"nl": "kwaliteit", "en": "quality"},
    "complaints": {"nl": "klachten", "en": "complaints"},
    "agreement": {"nl": "overeenkomsten", "en": "agreements"},
    "security": {"nl": "veiligheid", "en": "security"},
    "investigation": {"nl": "onderzoek", "en": "investigation"},
    "note": {
        "nl": "Gemaakt door siprec-srs uit de gegevens van de recorder. Personen worden niet genoemd.",
        "en": "Made by siprec-srs from the recorder's data. Nobody is named.",
    },
}


def word(name: str, language: Language) -> str:
    """A word; names of one's own purposes and reasons are as they are. `""` is no purpose."""
    return WORDS.get(name or "unassigned", {}).get(language, name)
