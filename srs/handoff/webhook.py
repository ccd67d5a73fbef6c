"""A web server told of a recording: JSON, signed, with a key by which it knows a repetition."""

import hashlib
import hmac
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from http import HTTPStatus

from pydantic import Field, SecretStr

from srs.archive.catalogue import details
from srs.config.handoff import HandoffSettings
from srs.config.settings import Settings
from srs.config.values import Section
from srs.handoff.errors import NeedsPerson, NotNow
from srs.handoff.module import Job
from srs.handoff.reach import opener

_LATER = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)


class Options(Section):
    """Of `module = "webhook"`."""

    url: str = Field(pattern=r"^https?://")
    secret: SecretStr = SecretStr("")
    """Without it nothing is signed."""
    timeout_s: float = Field(default=30.0, gt=0)


class Webhook:
    """The module."""

    def __init__(self, settings: Settings, entry: HandoffSettings) -> None:
        self._options = Options(**entry.options)
        self._local = settings.tasks.local_targets

    def run(self, job: Job) -> None:
        """POST what `srs show --json` says of the recording."""
        event = {"event": "recording.ready", "recording": details(job.context.engine, job.recording, job.context.store)}
        options = self._options
        secret = options.secret.get_secret_value()
        post(options.url, event, job.task.key, secret, options.timeout_s, local=self._local)


def post(
    url: str, event: Mapping[str, object], key: str, secret: str, timeout_s: float, *, local: bool = False
) -> None:
    """Send an event.

    Args:
        key: by which the server knows a repetition.
        secret: that it is signed with; empty: it is not signed.
        local: whether it may be this machine.

    Raises:
        NotNow: trying again may help.
        NeedsPerson: it does not.
    """
    body = json.dumps(event, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    if secret:
        headers["X-SRS-Signature"] = signature(secret, body)
    request = urllib.request.Request(url, body, headers, method="POST")
    try:
        with opener(local=local)(request, timeout=timeout_s):
            pass
    except urllib.error.HTTPError as error:
        with error:
            _fail(error)
    except OSError as error:
        raise NotNow(f"{url}: {error}") from error


def _fail(error: urllib.error.HTTPError) -> None:
    words = f"{error.url} answers {error.code} {error.reason}"
    raise (NotNow if error.code >= HTTPStatus.INTERNAL_SERVER_ERROR or error.code in _LATER else NeedsPerson)(words)


def signature(secret: str, body: bytes) -> str:
    """HMAC-SHA256 of the body, as the header has it."""
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"
