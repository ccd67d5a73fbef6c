"""What Prometheus fetches at the pages: what the recorder's processes tell, and what stands in the database."""

import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from prometheus_client import generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from srs import telling
from srs.alarms import WHAT_TO_DO
from srs.handoff import tasks
from srs.privacy.errors import Refused
from srs.privacy.roles import Right
from srs.web import state
from srs.web.api import problems
from srs.web.api.caller import identified
from srs.web.api.problems import Trouble
from srs.web.house import House

FRESH_S: Final = 15.0
"""That the database is not asked again, however many scrape."""


class Archived(Collector):
    """Numbers of the database."""

    def __init__(self, house: House) -> None:
        self._house = house

    def collect(self) -> Iterator[Metric]:
        house, now = self._house, datetime.now(UTC)
        traffic, disk = state.traffic(house.engine, now), state.disk(house.engine, house.settings.data_dir, now)
        yield GaugeMetricFamily("srs_calls_last_hour", "Calls that began in the last hour.", traffic.hours[-1])
        yield GaugeMetricFamily("srs_calls_last_day", "Calls that began in the last 24 hours.", sum(traffic.hours))
        yield GaugeMetricFamily("srs_packets_last_day", "Packets of these that came.", traffic.packets)
        yield GaugeMetricFamily("srs_packets_lost_last_day", "Packets of these that did not.", traffic.lost)
        yield GaugeMetricFamily("srs_complete_ratio", "Share of the packets of these that came.", traffic.complete)
        yield GaugeMetricFamily("srs_recorded_bytes_per_day", "Octets of sound a day, by the last week.", disk.a_day)
        days = float("inf") if disk.days is None else disk.days
        yield GaugeMetricFamily("srs_disk_days_left", "Days until the disk is full, if nothing is deleted.", days)
        waiting = GaugeMetricFamily("srs_tasks", "Tasks after the call, by state.", labels=["state"])
        for name, count in tasks.counts(house.engine).items():
            waiting.add_metric([name], count)
        yield waiting


class Metrics:
    """Answers whoever has a token for `watch`."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._archived, self._asked_at = "", -FRESH_S

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await run_in_threadpool(self._answer, Request(scope))
        await answer(scope, receive, send)

    def _answer(self, request: Request) -> Response:
        try:
            identified(self._house, request).require(Right.WATCH)
        except (Trouble, Refused) as error:
            return problems.explained(error)
        news = telling.hear(self._house.settings.data_dir)
        told = "".join(each.get("metrics", "") for each in news.values())
        raised = Counter(alarm["name"] for each in news.values() for alarm in each["alarms"])
        return PlainTextResponse(told + _alarms(raised) + self._of_database(), media_type=CONTENT_TYPE_LATEST)

    def _of_database(self) -> str:
        if time.monotonic() - self._asked_at >= FRESH_S:
            self._archived, self._asked_at = generate_latest(Archived(self._house)).decode(), time.monotonic()
        return self._archived


def _alarms(raised: Counter[str]) -> str:
    lines = [f'srs_alarms{{alarm="{name}"}} {raised[name]}\n' for name in WHAT_TO_DO]
    return "# HELP srs_alarms Alarms that are raised.\n# TYPE srs_alarms gauge\n" + "".join(lines)
