"""Raises the alarms of calls that are not heard, and clears them."""

from collections.abc import Iterable, Mapping

from srs.alarms import Alarms
from srs.capture.call import Call
from srs.capture.quality import Limits, Verdict, audible, judge

Ports = Mapping[int, float]
"""Port to seconds."""


class SilenceWatch:
    """Knows which ports are silent, from the reports of the capture workers."""

    def __init__(self, limits: Limits, alarms: Alarms) -> None:
        self._limits, self._alarms = limits, alarms
        self._silent: dict[str, dict[str, Ports]] = {}
        """Worker to recording to the silent ports and for how long."""
        self._suspects: dict[str, tuple[str, Ports]] = {}
        """Recording with silent ports to its Call-ID, and ports that are to be heard with the time since when."""

    def on_report(
        self, worker: str, silent: Mapping[str, Mapping[str, float]], calls: Iterable[Call], now: float
    ) -> None:
        """A worker told where nothing comes.

        Args:
            silent: recording to port, as text, to seconds.
            calls: all that run.
            now: monotonic.
        """
        self._silent[worker] = {
            recording: {int(port): seconds for port, seconds in ports.items()} for recording, ports in silent.items()
        }
        if silent or self._suspects:
            self._check({call.recording: call for call in calls}, now)

    def _check(self, calls: Mapping[str, Call], now: float) -> None:
        silent = {recording: ports for each in self._silent.values() for recording, ports in each.items()}
        for recording in self._suspects.keys() - (silent.keys() & calls.keys()):
            self._set(self._suspects.pop(recording)[0], Verdict())
        for recording in silent.keys() & calls.keys():
            self._judge(calls[recording], silent[recording], now)

    def _judge(self, call: Call, silent: Ports, now: float) -> None:
        """A stream that was resumed has its time from then on."""
        _, known = self._suspects.get(call.recording, (call.call_id, None))
        since = {port: 0.0 if known is None else known.get(port, now) for port in audible(call.answer)}
        self._suspects[call.recording] = call.call_id, since
        silences = [min(silent.get(port, 0.0), now - at) for port, at in since.items()]
        self._set(call.call_id, judge(silences, self._limits))

    def _set(self, call_id: str, verdict: Verdict) -> None:
        self._alarms.set("no-audio", verdict.no_audio, call=call_id)
        self._alarms.set("one-way-audio", verdict.one_way, call=call_id)
