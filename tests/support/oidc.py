"""An OpenID provider in its own process: discovery, authorization with PKCE, tokens, keys; it lies as a test asks.

`behaviour.json` in its folder is read anew at every step: `claims` of whoever signs in, and what is wrong: `refuse`,
`sign` (`other`: a key that is not published; `none`; `secret`: HMAC with the client's secret), `status` of all answers.
"""

import hashlib
import json
import os
import secrets
import subprocess
import sys
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from support.recorder import free_port, until

CLIENT, SECRET = "recorder", "a secret of the client: 100 %"
HOST = "127.0.0.1"


class Provider:
    """A running provider, seen from a test."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.url = folder, f"http://{HOST}:{port}"

    def behave(self, claims: dict[str, Any], **how: Any) -> None:
        """Who signs in next, and what is wrong. Claims that are None are left out; `exp`, `iat`: seconds from now."""
        unfinished = self.folder / "behaviour.part"
        unfinished.write_text(json.dumps({"claims": claims, **how}))
        unfinished.rename(self.folder / "behaviour.json")

    def environment(self) -> dict[str, str]:
        """Settings of a recorder that trusts it."""
        told = {"ISSUER": self.url, "CLIENT_ID": CLIENT, "CLIENT_SECRET": SECRET, "LABEL": "Example"}
        return {f"SRS_OIDC__{name}": value for name, value in told.items()}


@contextmanager
def provider(folder: Path) -> Iterator[Provider]:
    """Run one."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port(HOST)
    with (folder / "log").open("ab") as log:
        path = os.pathsep.join([str(Path(__file__).parent.parent), *sys.path[1:]])
        command = [sys.executable, "-m", "support.oidc", str(folder), str(port)]
        process = subprocess.Popen(command, stderr=log, stdout=log, env={**os.environ, "PYTHONPATH": path})
    try:
        until(lambda: b"Uvicorn running" in (folder / "log").read_bytes(), lambda: (folder / "log").read_text())
        yield Provider(folder, port)
    finally:
        process.kill()
        process.wait()


class _Server:
    def __init__(self, folder: Path, url: str) -> None:
        self._folder, self._url = folder, url
        self._key, self._other = (RSAKey.generate_key(2048, {"kid": kid}) for kid in ("one", "other"))
        self._codes: dict[str, dict[str, str]] = {}

    def _how(self) -> dict[str, Any]:
        return json.loads((self._folder / "behaviour.json").read_text())

    async def discovery(self, request: Request) -> Response:
        places = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/keys"}
        told = {"issuer": self._how().get("issuer", self._url), **{name: self._url + at for name, at in places.items()}}
        return JSONResponse(told, self._how().get("status", 200))

    async def keys(self, request: Request) -> Response:
        return JSONResponse({"keys": [self._key.as_dict(private=False)]})

    async def authorize(self, request: Request) -> Response:
        """Somebody signs in at once."""
        asked = dict(request.query_params)
        assert (asked["client_id"], asked["response_type"]) == (CLIENT, "code")
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        if self._how().get("refuse"):
            told = {"error": "access_denied", "error_description": "not you", "state": asked["state"]}
            return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(told)}", 302)
        code = secrets.token_urlsafe()
        self._codes[code] = asked
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}", 302)

    async def token(self, request: Request) -> Response:
        form = await request.form()
        kind, _, basic = request.headers["authorization"].partition(" ")
        user, _, password = b64decode(basic).decode().partition(":")
        asked = self._codes.pop(str(form["code"]), None)  # a code is good once
        digest = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
        challenge = urlsafe_b64encode(digest).rstrip(b"=").decode()
        right = (
            asked is not None
            and (kind, user, unquote(password)) == ("Basic", CLIENT, SECRET)
            and challenge == asked["code_challenge"]
            and form["redirect_uri"] == asked["redirect_uri"]
        )
        if not right or asked is None:
            return JSONResponse({"error": "invalid_grant"}, 400)
        return JSONResponse({"access_token": "x", "token_type": "Bearer", "id_token": self._id_token(asked["nonce"])})

    def _id_token(self, nonce: str) -> str:
        now, how = int(time.time()), self._how()
        claims = {"iss": self._url, "aud": CLIENT, "nonce": nonce, "exp": 300, "iat": 0, **how["claims"]}
        claims = {name: value for name, value in claims.items() if value is not None}
        claims |= {name: now + claims[name] for name in ("exp", "iat") if name in claims}
        match how.get("sign"):
            case "other":
                return jwt.encode({"alg": "RS256", "kid": "one"}, claims, self._other)
            case "none":
                return jwt.encode({"alg": "none"}, claims, OctKey.import_key("x" * 32), algorithms=["none"])
            case "secret":
                return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET))
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, self._key)


def main() -> None:
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    made = _Server(folder, f"http://{HOST}:{port}")
    paths = {
        "/.well-known/openid-configuration": made.discovery,
        "/keys": made.keys,
        "/authorize": made.authorize,
        "/token": made.token,
    }
    routes = [Route(path, answer, methods=["GET", "POST"]) for path, answer in paths.items()]
    uvicorn.run(Starlette(routes=routes), host=HOST, port=port)


if __name__ == "__main__":
    main()
