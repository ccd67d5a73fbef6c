"""Digest authentication of requests (RFC 3261 §22, RFC 8760): MD5 for the clients that know no better, SHA-256.

Nonces carry their own age and are sealed with a secret, so that nothing is stored: an old one gets a new challenge with
`stale=true`, at which clients answer again without asking for the password.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from srs.sip.errors import SipError
from srs.sip.message import Request

NONCE_S = 300.0
ALGORITHMS: Mapping[str, Callable[[bytes], "hashlib._Hash"]] = {
    "SHA-256": hashlib.sha256,
    "MD5": hashlib.md5,
}
"""In the order in which they are offered: clients take the first they know (RFC 8760 §2.3)."""
_PARAMETER = re.compile(r'\s*,?\s*([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))')


@dataclass(frozen=True, slots=True)
class Digest:
    """Asks for passwords in one realm."""

    realm: str
    secret: bytes
    """To seal nonces with."""

    def check(
        self,
        request: Request,
        user: str,
        password: str,
        now: float,
        algorithms: Sequence[str] = tuple(ALGORITHMS),
    ) -> None:
        """Whether a request comes from who knows the password.

        Args:
            now: seconds of a clock that does not go backwards.
            algorithms: those offered and taken, names in ALGORITHMS; some clients look at the first one only.

        Raises:
            SipError: 401 with challenges; 403, the password or the user is another.
        """
        given = next(
            (each for each in map(parse, request.headers.getlist("Authorization")) if self._ours(each, algorithms)),
            None,
        )
        if given is None:
            raise self._challenge(now, algorithms, stale=False)
        age = self._age(given.get("nonce", ""), now)
        if age is None or not 0 <= age < NONCE_S:
            raise self._challenge(now, algorithms, stale=True)
        expected = answer(given, request.method, password, request.body)
        if expected is None:
            raise SipError(400, "Authorization Not Understood")
        if given.get("username") != user or not hmac.compare_digest(expected, given.get("response", "").lower()):
            raise SipError(403, "Wrong User or Password")

    def _ours(self, given: Mapping[str, str], algorithms: Sequence[str]) -> bool:
        return given.get("realm") == self.realm and given.get("algorithm", "MD5").upper() in algorithms

    def _challenge(self, now: float, algorithms: Sequence[str], *, stale: bool) -> SipError:
        nonce = self._nonce(now)
        more = ",stale=true" if stale else ""
        values = [
            f'Digest realm="{self.realm}",nonce="{nonce}",algorithm={algorithm},qop="auth"{more}'
            for algorithm in algorithms
        ]
        return SipError(401, "Unauthorized", headers=tuple(("WWW-Authenticate", value) for value in values))

    def _nonce(self, now: float) -> str:
        when = f"{int(now * 1000):x}"
        return f"{when}-{self._seal(when)}"

    def _seal(self, when: str) -> str:
        return hmac.new(self.secret, when.encode(), hashlib.sha256).hexdigest()[:32]

    def _age(self, nonce: str, now: float) -> float | None:
        """In seconds; None: it is not ours."""
        when, _, seal = nonce.partition("-")
        if not hmac.compare_digest(seal.encode("utf-8", "replace"), self._seal(when).encode()):
            return None
        return now - int(when, 16) / 1000


def parse(value: str) -> dict[str, str]:
    """The parameters of an Authorization or WWW-Authenticate header; none unless it is Digest."""
    scheme, _, rest = value.strip().partition(" ")
    if scheme.lower() != "digest":
        return {}
    return {found[1].lower(): found[3] if found[2] is None else found[2] for found in _PARAMETER.finditer(rest)}


def answer(given: Mapping[str, str], method: str, password: str, body: bytes) -> str | None:
    """The `response` that belongs to the other parameters (RFC 7616 §3.4); None: they ask for what there is not."""
    make = ALGORITHMS.get(given.get("algorithm", "MD5").upper())
    qop = given.get("qop", "").lower()
    if make is None or qop not in ("", "auth", "auth-int"):
        return None

    def digest(*parts: str) -> str:
        return make(":".join(parts).encode("utf-8", "surrogateescape")).hexdigest()

    username, realm, nonce, uri = (given.get(name, "") for name in ("username", "realm", "nonce", "uri"))
    what = [method, uri, *([make(body).hexdigest()] if qop == "auth-int" else [])]
    counted = [given.get("nc", ""), given.get("cnonce", ""), qop] if qop else []
    return digest(digest(username, realm, password), nonce, *counted, digest(*what))
