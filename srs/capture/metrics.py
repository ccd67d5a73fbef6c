"""What Prometheus fetches: the state of the recorder as numbers (`[metrics] listen`)."""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, generate_latest, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector as Source

from srs import telling
from srs.capture import folder
from srs.capture.health import Health
from srs.capture.sessions import Counts
from srs.sip.address import host_port

log = structlog.get_logger()

_COUNTERS: Final = {  # of health.Report
    "packets": "Datagrams taken from sockets.",
    "octets": "Octets of their payloads.",
    "dropped": "Datagrams that the kernel dropped because a socket was full.",
    "unwritten": "Records that the disk did not take.",
}


class Collector(Source):
    """Reads the numbers when they are asked for, in a thread of the server: nothing here changes anything."""

    def __init__(self, health: Health, calls: Counts, running: Callable[[], int], data_dir: Path) -> None:
        self._health, self._calls, self._running, self._data_dir = health, calls, running, data_dir

    def collect(self) -> Iterator[Metric]:
        yield from self.numbers()
        yield _labelled(
            GaugeMetricFamily("srs_alarms", "Alarms that are raised.", labels=["alarm"]), self._health.alarms.active()
        )

    def numbers(self) -> Iterator[Metric]:
        """All but the alarms."""
        yield GaugeMetricFamily("srs_calls_running", "Calls under way.", self._running())
        yield CounterMetricFamily("srs_calls", "Calls accepted.", self._calls.recorded)
        yield _labelled(
            CounterMetricFamily("srs_calls_refused", "INVITEs refused, by status.", labels=["status"]),
            {str(status): count for status, count in self._calls.refused.copy().items()},
        )
        yield from self._workers()
        yield GaugeMetricFamily("srs_lag_seconds", "How long packets wait.", self._health.lag_s(time.monotonic()))
        if self._health.probe:
            yield GaugeMetricFamily("srs_disk_free_bytes", "For captures.", self._health.probe.free)
            yield GaugeMetricFamily("srs_disk_trial_seconds", "To write a small file.", self._health.probe.took_s)
        yield _labelled(
            GaugeMetricFamily("srs_captures", "Capture files, by folder.", labels=["state"]), self._captures()
        )

    def news(self) -> telling.News:
        """What signalling tells of itself."""
        text = generate_latest(_Numbers(self)).decode()
        return {"alarms": [asdict(alarm) for alarm in self._health.alarms.all()], "metrics": text}

    def serve(self, address: tuple[str, int]) -> None:
        """Answer scrapes from a thread of its own."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        try:
            start_http_server(address[1], address[0], registry=registry)
        except OSError as error:
            log.error("no metrics", listen=host_port(address), reason=error.strerror)

    def _workers(self) -> Iterator[Metric]:
        reports = dict(self._health.reports)
        for name, text in _COUNTERS.items():
            family = CounterMetricFamily(f"srs_{name}", text, labels=["worker"])
            yield _labelled(family, {worker: getattr(report, name) for worker, report in reports.items()})

    def _captures(self) -> dict[str, int]:
        root = folder.folder(self._data_dir)
        return {name: sum(1 for _ in (root / name).glob("*.pcap")) for name in ("open", "ended", "kept", "failed")}


def _labelled(family: Metric, values: dict[str, int]) -> Metric:
    for label, value in values.items():
        assert isinstance(family, CounterMetricFamily | GaugeMetricFamily)
        family.add_metric([label], value)
    return family


class _Numbers(Source):
    """Without the alarms, which the web process gathers of all processes."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    def collect(self) -> Iterator[Metric]:
        return self._collector.numbers()
