"""Somebody at the pages who is a program: goes where a test sends it and nowhere else."""

from typing import Any

import requests
from requests.adapters import HTTPAdapter


class _From(HTTPAdapter):
    """Connections from one address."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options, source_address=(self._address, 0))


class Client(requests.Session):
    """A browser without eyes.

    Args:
        url: of the pages.
        address: of this machine that it asks from.
    """

    def __init__(self, url: str, address: str | None = None) -> None:
        super().__init__()
        self.trust_env = False  # a proxy, or certificates in place of those of `verify`
        self._url = url
        if address is not None:
            self.mount(url, _From(address))
        self.headers.update({"Origin": url, "Accept": "text/html", "Connection": "close"})

    def request(self, method: str, path: str, **options: Any) -> requests.Response:  # type: ignore[override]
        address = path if path.startswith("http") else self._url + path
        return super().request(method, address, **{**options, "allow_redirects": False, "timeout": 30})

    def sign_in(self, name: str, password: str, code: str = "") -> requests.Response:
        told = {"name": name, "password": password, "code": code, "to": "/recordings"}
        return self.post("/sign-in", data=told)
