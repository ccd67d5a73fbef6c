"""srs call: our own recording client."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from srs.commands.options import console
from srs.sip.address import Uri

if TYPE_CHECKING:
    from srs.siprec.src import CallFailed, Outcome, Plan

DEFAULT_S = 10.0
FRAME = 160


def call(
    target: Annotated[
        str, typer.Argument(metavar="TARGET", help="The recorder: ADDRESS, ADDRESS:PORT or sip:ADDRESS:PORT.")
    ],
    calls: Annotated[int, typer.Option(min=1, help="How many calls.")] = 1,
    rate: Annotated[float, typer.Option(min=0.001, help="New calls per second.")] = 10.0,
    duration: Annotated[
        float | None, typer.Option(min=0.02, help="Seconds of each call; without it that of the sound.")
    ] = None,
    codec: Annotated[Literal["PCMU", "PCMA"], typer.Option(case_sensitive=False, help="Of all legs.")] = "PCMU",
    transport: Annotated[Literal["udp", "tcp", "tls"], typer.Option(case_sensitive=False, help="Of SIP.")] = "udp",
    caller: Annotated[str, typer.Option(metavar="AOR", help="The first leg's party.")] = "sip:caller@example.com",
    callee: Annotated[str, typer.Option(metavar="AOR", help="The second leg's party.")] = "sip:callee@example.com",
    audio: Annotated[
        list[Path] | None,
        typer.Option(
            exists=True, dir_okay=False, help="Sound of a leg, any format; once for each leg. Without it, a tone."
        ),
    ] = None,
    loss: Annotated[float, typer.Option(min=0, max=1, help="Share of packets to lose.")] = 0.0,
    reorder: Annotated[float, typer.Option(min=0, max=1, help="Share of packets to send late.")] = 0.0,
    duplicates: Annotated[float, typer.Option(min=0, max=1, help="Share of packets to send twice.")] = 0.0,
    seed: Annotated[int, typer.Option(help="The same seed loses the same packets.")] = 0,
    srtp: Annotated[
        bool, typer.Option("--srtp", help="Send SRTP; the keys are in the SIP, so use --transport tls.")
    ] = False,
    suite: Annotated[
        Literal["AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32", "AEAD_AES_128_GCM", "AEAD_AES_256_GCM"],
        typer.Option(case_sensitive=False, help="Of SRTP."),
    ] = "AES_CM_128_HMAC_SHA1_80",
) -> None:
    """Make recording calls to a recorder, as an SBC would."""
    from rtp.codecs import encode
    from rtp.send import Impairment
    from srs import log
    from srs.siprec.src import CODECS, Plan
    from srs.siprec.src_audio import load, tone

    log.configure_command()

    sounds = [load(path) for path in audio or []]
    sounds += [tone(frequency) for frequency in (440, 620)[len(sounds) :]]
    longest = max(len(sound) for sound in sounds) / 8000
    plan = Plan(
        target=_target(target, transport),
        transport=transport.upper(),
        parties=_parties(caller, callee, len(sounds)),
        frames=[[frame.tobytes() for frame in encode(codec, sound).reshape(-1, FRAME)] for sound in sounds],
        codec=CODECS[codec],
        duration_s=duration or (longest if audio else DEFAULT_S),
        impairment=Impairment(loss, reorder, duplicates, seed),
        srtp=suite if srtp else None,
    )
    import asyncio

    raise SystemExit(_report(asyncio.run(_make(plan, calls, rate))))


def _target(text: str, transport: str) -> tuple[str, int]:
    uri = Uri.parse(text if text.startswith(("sip:", "sips:")) else f"sip:{text}")
    if not uri.literal:
        raise typer.BadParameter(f"{text}: an IP address is needed, such as 127.0.0.1:5060 or [::1]:5060")
    return uri.host, uri.port or (5061 if transport == "tls" else 5060)


def _parties(caller: str, callee: str, legs: int) -> list[str]:
    return [caller, callee, *(f"sip:party{number}@example.com" for number in range(3, legs + 1))][:legs]


async def _make(plan: "Plan", calls: int, rate: float) -> "list[Outcome | CallFailed]":
    """Start the calls one after another, each `1 / rate` seconds after the one before; wait for all."""
    import asyncio

    from srs.siprec.src import CallFailed, Client

    async def one(client: Client, start: float) -> "Outcome | CallFailed":
        await asyncio.sleep(start - asyncio.get_running_loop().time())
        try:
            return await client.call(plan)
        except CallFailed as failure:
            return failure

    async with Client(plan.target, plan.transport) as client:
        begun = asyncio.get_running_loop().time()
        return await asyncio.gather(*(one(client, begun + number / rate) for number in range(calls)))


def _report(outcomes: "list[Outcome | CallFailed]") -> int:
    """Tell what became of the calls; the exit status."""
    from srs.siprec.src import CallFailed, Outcome

    screen = console()
    done = [outcome for outcome in outcomes if isinstance(outcome, Outcome)]
    for outcome in outcomes:
        if isinstance(outcome, CallFailed):
            screen.print(f"failed: {outcome}", style="red")
    if done:
        answered = sorted(outcome.answered_s * 1000 for outcome in done)
        packets = sum(sum(outcome.packets) for outcome in done)
        screen.print(
            f"{len(done)} of {len(outcomes)} calls made, {packets} packets sent; "
            f"INVITE to 200: median {answered[len(answered) // 2]:.1f} ms, longest {answered[-1]:.1f} ms"
        )
    return 0 if len(done) == len(outcomes) else 1
