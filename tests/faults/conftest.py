from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.recorder import Recorder


@pytest.fixture
def start_recorder(tmp_path: Path) -> Iterator[Callable[..., Recorder]]:
    """Starts recorders: `start_recorder(host="127.0.0.1", data=…, **environment)`; they are stopped after the test."""
    running: list[Recorder] = []

    def start(host: str = "127.0.0.1", data: Path = tmp_path / "data", **environment: str) -> Recorder:
        running.append(Recorder(data, host, environment))
        return running[-1]

    yield start
    for recorder in running:
        if recorder.process.poll() is None:
            recorder.stop()


@pytest.fixture
def recorder(start_recorder: Callable[..., Recorder]) -> Recorder:
    return start_recorder()
