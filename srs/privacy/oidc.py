"""What is said with an OpenID provider: authorization code with PKCE (OpenID Connect Core 1.0, RFC 7636)."""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from requests import RequestException

from srs.config.access import OidcSettings
from srs.privacy.errors import NotBelieved, ProviderAway

TIMEOUT_S: Final = 10.0
LEEWAY_S: Final = 60
"""That the clocks of provider and recorder may differ."""
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Of signatures with a private key: none that the client's secret, or nobody, makes."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in under way. What must come back follows from one secret, which only the browser's cookie has."""

    secret: str

    @classmethod
    def new(cls) -> "Attempt":
        return cls(secrets.token_urlsafe(32))

    @property
    def state(self) -> str:
        """Ties the answer to the browser."""
        return self._derived("state")

    @property
    def nonce(self) -> str:
        """Ties the ID token to the attempt."""
        return self._derived("nonce")

    @property
    def verifier(self) -> str:
        """Ties the code to the attempt (RFC 7636)."""
        return self._derived("verifier")

    def _derived(self, what: str) -> str:
        return urlsafe_b64encode(hmac.digest(self.secret.encode(), what.encode(), hashlib.sha256)).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class Provider:
    """The provider of the settings. Nothing of it is remembered: sign-ins are rare, and its keys change."""

    settings: OidcSettings

    def address(self, attempt: Attempt, back: str) -> str:
        """Where the browser is to go.

        Args:
            back: the address that the provider sends it back to.

        Raises:
            ProviderAway: it does not answer.
        """
        with self._session(back) as session:
            place = _text(self._metadata(session), "authorization_endpoint")
            address, _ = session.create_authorization_url(
                place, state=attempt.state, nonce=attempt.nonce, code_verifier=attempt.verifier
            )
        return str(address)

    def claims(self, attempt: Attempt, back: str, answer: str, now: datetime) -> Mapping[str, Any]:
        """What the provider says of who came back, proven.

        Args:
            answer: the address that the browser came back to, with all that the provider put into it.

        Raises:
            NotBelieved: it is the answer to another attempt, a refusal, or its proof is not good.
            ProviderAway: it does not answer.
        """
        told = {name: values[0] for name, values in parse_qs(urlsplit(answer).query).items()}
        if not hmac.compare_digest(told.get("state", "").encode(), attempt.state.encode()):
            raise NotBelieved("this sign-in was not begun in this browser, or too long ago")
        if "code" not in told:
            raise NotBelieved(f"refused: {told.get('error', 'no code')} {told.get('error_description', '')}".strip())
        with self._session(back) as session:
            metadata = self._metadata(session)
            place = _text(metadata, "token_endpoint")
            tokens = session.fetch_token(place, code=told["code"], code_verifier=attempt.verifier)
            keys = KeySet.import_key_set(_fetched(session, _text(metadata, "jwks_uri")))  # type: ignore[arg-type]
            return self._checked(_text(tokens, "id_token"), keys, attempt, metadata["issuer"], now)

    def _checked(self, token: str, keys: KeySet, attempt: Attempt, issuer: str, now: datetime) -> Mapping[str, Any]:
        """The claims of an ID token, checked as OpenID Connect Core section 3.1.3.7 has it."""
        claims = jwt.decode(token, keys, algorithms=list(ALGORITHMS)).claims
        registry = jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=LEEWAY_S,
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": self.settings.client_id or ""},
            nonce={"essential": True, "value": attempt.nonce},
        )
        registry.validate(claims)
        if claims.get("azp", self.settings.client_id) != self.settings.client_id:
            raise NotBelieved("the ID token was made for another program (azp)")
        return claims

    def _metadata(self, session: OAuth2Session) -> Mapping[str, Any]:
        """OpenID Connect Discovery 1.0 section 4."""
        issuer = (self.settings.issuer or "").rstrip("/")
        found = _fetched(session, f"{issuer}/.well-known/openid-configuration")
        if _text(found, "issuer").rstrip("/") != issuer:
            raise NotBelieved(f"{issuer} says that it is {found['issuer']}: [oidc] issuer must be just that")
        return found

    @contextmanager
    def _session(self, back: str) -> Iterator[OAuth2Session]:
        settings = self.settings
        try:
            session = OAuth2Session(
                settings.client_id,
                secret := settings.secret,
                token_endpoint_auth_method="client_secret_basic" if secret else "none",
                scope=" ".join(settings.scopes),
                redirect_uri=back,
                code_challenge_method="S256",
                default_timeout=TIMEOUT_S,
            )
            session.verify = True if settings.authorities is None else str(settings.authorities)
            with session:
                yield session
        except (RequestException, OSError) as error:
            raise ProviderAway(f"{settings.issuer}: {error}") from error
        except (AuthlibBaseError, JoseError, ValueError) as error:
            raise NotBelieved(f"{settings.issuer}: {error}") from error


def _fetched(session: OAuth2Session, address: str) -> Mapping[str, Any]:
    answer = session.get(address, withhold_token=True)
    answer.raise_for_status()
    found = answer.json()
    if not isinstance(found, dict):
        raise ValueError(f"{address} is not a JSON object")
    return found


def _text(told: Mapping[str, Any], name: str) -> str:
    if not isinstance(value := told.get(name), str):
        raise ValueError(f"it does not say {name}")
    return value
