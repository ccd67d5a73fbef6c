"""Calls with and without an announcement, through real codecs: what finding a notice is measured with."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from support.speech import RATE, babble, music, say
from support.telephone import codecs, heard

from rtp.mix import resample

VOICES = ("nl", "nl+f2", "nl+m3", "en-gb", "en-us+f3")
TEXTS = {
    "nl": (
        "Dit gesprek wordt opgenomen voor de training van onze medewerkers. Stelt u dat niet op prijs, zegt u het dan.",
        "Dit gesprek wordt opgenomen om de kwaliteit van onze dienstverlening te verbeteren. Meer staat op onze site.",
        "Welkom bij de gemeente. Uw gesprek kan worden opgenomen voor de behandeling van uw klacht.",
        "Voor uw en onze veiligheid worden alle gesprekken met de meldkamer opgenomen en negentig dagen bewaard.",
        "Al onze medewerkers zijn in gesprek. U bent de derde in de rij; de wachttijd is ongeveer vier minuten.",
        "Ons kantoor is gesloten. Wij zijn op werkdagen bereikbaar van negen uur tot half zes. Tot ziens.",
    ),
    "en": (
        "This call is recorded for the training of our staff. If you do not want that, please tell our employee.",
        "This call is recorded to improve the quality of our service. You can read more about it on our web site.",
        "Welcome to the city council. Your call may be recorded so that we can handle your complaint.",
        "For your safety and ours all calls to the control room are recorded, and kept for ninety days.",
        "All our colleagues are busy at the moment. You are third in line; the waiting time is about four minutes.",
        "Our office is closed. You can reach us on working days from nine to half past five. Goodbye.",
    ),
}
TALK = {
    "nl": "Goedemorgen, u spreekt met Jansen. Ik bel over mijn bestelling van vorige week, die is nog niet aangekomen. "
    "Kunt u voor mij nakijken waar het pakket is? Ik heb hier het nummer bij de hand.",
    "en": "Good morning, this is Johnson speaking. I am calling about my order of last week, it has not arrived yet. "
    "Could you look up for me where the parcel is? I have the number here.",
}
HARD = ("other", "music", "babble", "voice", "talk")


@dataclass(frozen=True)
class Example:
    """A leg, int16, and which announcements are in it; those at 8 kHz."""

    leg: np.ndarray
    rate: int
    present: np.ndarray | None
    second: float
    """Where that begins in the leg."""
    absent: tuple[np.ndarray, ...]
    kind: str


def texts(voice: str) -> tuple[str, ...]:
    return TEXTS[voice[:2]]


def positive(rng: np.random.Generator) -> Example:
    """Any announcement, codec, gain, loss up to 5 %, clock within 100 ppm; one in three without its first quarter.

    The five others by the same voice are absent.
    """
    voice, number = rng.choice(VOICES), int(rng.integers(6))
    known = [say(text, voice) for text in texts(voice)]
    wanted = known.pop(number)
    cut = round(rng.uniform(0, 0.25) * len(wanted)) if rng.random() < 1 / 3 else 0
    before = np.zeros(0, np.int16) if cut else _before(rng, voice)
    spoken = np.concatenate([before, wanted[cut:], _silence(rng), say(TALK[voice[:2]], voice)])
    leg, rate, kind = _telephone(rng, spoken)
    return Example(leg, rate, wanted, (len(before) - cut) / RATE, tuple(known), kind)


def negative(rng: np.random.Generator) -> Example:
    """Two other announcements by the voice, the same words by another voice, music, noise like speech, or talk."""
    kind, voice = rng.choice(HARD), rng.choice(VOICES)
    spoken, absent = np.split(rng.permutation(6), [2]) if kind == "other" else ([], range(6))
    wanted = [say(texts(voice)[number], voice) for number in absent]
    sound = {
        "other": lambda: np.concatenate([say(texts(voice)[number], voice) for number in spoken]),
        "music": lambda: music(rng, 20),
        "babble": lambda: babble(rng, wanted[0]),
        "voice": lambda: say(texts(voice)[0], _another(rng, voice)),
        "talk": lambda: say(TALK[voice[:2]], voice),
    }[kind]()
    leg, rate, codec = _telephone(rng, np.concatenate([_before(rng, voice), sound, _silence(rng)]))
    return Example(leg, rate, None, 0.0, tuple(wanted), f"{kind} {codec}")


def examples(seed: int, positives: int, negatives: int) -> Iterator[Example]:
    rng = np.random.default_rng(seed)
    for _ in range(positives):
        yield positive(rng)
    for _ in range(negatives):
        yield negative(rng)


def _another(rng: np.random.Generator, voice: str) -> str:
    return str(rng.choice([other for other in VOICES if other[:2] == voice[:2] and other != voice]))


def _before(rng: np.random.Generator, voice: str) -> np.ndarray:
    """Silence, ringing, or a greeting."""
    ringing = np.rint(3000 * np.sin(2 * np.pi * 425 * np.arange(2 * RATE) / RATE)).astype(np.int16)
    return [_silence(rng), ringing, say("Goedemorgen." if voice[:2] == "nl" else "Good morning.", voice)][
        rng.integers(3)
    ]


def _silence(rng: np.random.Generator) -> np.ndarray:
    return np.zeros(round(rng.uniform(0, 3) * RATE), np.int16)


def _telephone(rng: np.random.Generator, spoken: np.ndarray) -> tuple[np.ndarray, int, str]:
    """The sound as it is recorded; its rate; codec and loss."""
    known = codecs()
    name, loss = str(rng.choice(sorted(known))), float(rng.choice([0, 0.01, 0.05]))
    codec, rate, encode = known[name]
    louder = spoken * 10 ** (rng.uniform(-15, 3) / 20) + rng.normal(0, rng.uniform(1, 60), len(spoken))
    skewed = np.interp(np.arange(len(louder)) * (1 + rng.uniform(-1e-4, 1e-4)), np.arange(len(louder)), louder)
    sound = np.rint(np.pad(skewed, (0, -len(skewed) % 160))).clip(-32768, 32767).astype(np.int16)
    payloads = encode(resample(sound, RATE, rate))
    leg, heard_rate = heard(codec, payloads, rng.random(len(payloads)) < loss)
    return leg, heard_rate, f"{name} {loss:.0%}"
