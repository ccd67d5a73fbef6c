import re
import subprocess
import sys
from pathlib import Path

import pytest

COUNT = """
import os, resource, sys
from srs.capture.descriptors import ENOUGH, allow, make_room
allow()
make_room(0)
print(open("/proc/self/status").read())
print(len(os.listdir("/proc/self/fd")), min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], ENOUGH))
"""


def test_the_table_has_room_before_a_call_needs_it() -> None:
    said = subprocess.run([sys.executable, "-c", COUNT], capture_output=True, text=True, check=True).stdout
    opened, enough = map(int, said.split()[-2:])
    assert int(re.search(r"FDSize:\s+(\d+)", said)[1]) >= enough
    assert opened < 10, "the descriptor that made the room is closed again"


@pytest.mark.parametrize("kind", ["signalling", "capture"])
def test_those_with_threads_and_many_descriptors_have_it(recorder, kind: str) -> None:
    for pid in recorder.children(kind):
        status = Path(f"/proc/{pid}/status").read_text()
        assert int(re.search(r"FDSize:\s+(\d+)", status)[1]) >= 4096
