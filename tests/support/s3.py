"""An S3 server of the tests' own: moto in a process of its own, spoken to over HTTP."""

import contextlib
import subprocess
import sys
import urllib.request
from collections.abc import Iterator

from support.recorder import free_port, until

ACCESS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
BUCKET = "recordings"


@contextlib.contextmanager
def server() -> Iterator[dict[str, str]]:
    """Run one with a bucket; gives the environment that leads `s3://recordings/…` there."""
    port = free_port("127.0.0.1")
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: _made(f"{url}/{BUCKET}"), lambda: "the S3 server does not answer")
        yield {**ACCESS, "AWS_ENDPOINT": url, "AWS_ALLOW_HTTP": "true"}
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def denying(environment: dict[str, str]) -> Iterator[None]:
    """The server refuses everybody meanwhile, with 403 as S3 does."""
    _allow(environment, "0")
    try:
        yield
    finally:
        _allow(environment, "inf")


def _allow(environment: dict[str, str], requests: str) -> None:
    address = f"{environment['AWS_ENDPOINT']}/moto-api/reset-auth"
    request = urllib.request.Request(address, requests.encode(), {"Content-Type": "text/plain"})
    urllib.request.urlopen(request, timeout=5).close()


def _made(bucket: str) -> bool:
    with contextlib.suppress(OSError):
        request = urllib.request.Request(bucket, method="PUT")
        return bool(urllib.request.urlopen(request, timeout=5).status == 200)
    return False
