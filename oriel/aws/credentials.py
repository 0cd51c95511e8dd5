"""Whose requests these are.

Where keys come from, in this order: the environment, as in a Lambda function; the address that the environment names
(`AWS_CONTAINER_CREDENTIALS_FULL_URI`), as in a Lambda function with SnapStart and in a container; what botocore knows
on this machine: profiles, single sign-on, an instance's role.
"""

import http.client
import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from msgspec import Struct

from oriel.errors import OrielError

if TYPE_CHECKING:
    from botocore.session import Session

REFRESH_SECONDS = 300.0
FETCH_SECONDS = 2.0
_LOOPBACK = {"localhost", "127.0.0.1", "::1", "169.254.170.2", "169.254.170.23"}


class Credentials(Struct, frozen=True):
    """Keys, and until when they hold (Unix seconds; 0 for always)."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None
    expires_at: float = 0.0

    def __repr__(self) -> str:
        return f"Credentials({self.access_key_id!r})"  # no key in a traceback


Source = Callable[[], Credentials]


def source_of(given: Credentials | None, environment: Mapping[str, str] = os.environ) -> Source:
    """Where a client gets its keys from, each time it signs."""
    if given is not None:
        return lambda: given
    if "AWS_ACCESS_KEY_ID" in environment:
        return lambda: _from_environment(environment)
    if address := environment.get("AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        return Fetched(lambda: _from_address(address, environment))
    return _from_botocore


class Fetched:
    """Keys that are fetched again before they expire. Safe to share between threads."""

    def __init__(self, fetch: Source, clock: Callable[[], float] = time.time) -> None:
        self._fetch, self._clock = fetch, clock
        self._lock = threading.Lock()
        self._current: Credentials | None = None

    def __call__(self) -> Credentials:
        with self._lock:
            current = self._current
            if current is None or current.expires_at - self._clock() < REFRESH_SECONDS:
                current = self._current = self._fetch()
            return current


def _from_environment(environment: Mapping[str, str]) -> Credentials:
    return Credentials(
        environment["AWS_ACCESS_KEY_ID"],
        environment.get("AWS_SECRET_ACCESS_KEY", ""),
        environment.get("AWS_SESSION_TOKEN") or None,
    )


def _from_address(address: str, environment: Mapping[str, str]) -> Credentials:
    """The answer of the address, which is on this machine or its link alone."""
    url = urlsplit(address)
    if url.scheme != "http" or url.hostname not in _LOOPBACK:
        raise _unavailable(f"{url.hostname} is no address that gives credentials")
    token = environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")
    if file := environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"):
        token = Path(file).read_text(encoding="ascii").strip()
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=FETCH_SECONDS)
    try:
        connection.request(
            "GET", f"{url.path}?{url.query}" if url.query else url.path, headers={"Authorization": token}
        )
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise _unavailable(type(error).__name__) from None
    finally:
        connection.close()
    if answer.status != 200:
        raise _unavailable(f"status {answer.status}")
    return _parsed(body)


def _parsed(body: bytes) -> Credentials:
    try:
        found: dict[str, Any] = json.loads(body)
        until = datetime.fromisoformat(found["Expiration"]).timestamp()
        return Credentials(found["AccessKeyId"], found["SecretAccessKey"], found.get("Token"), until)
    except (ValueError, KeyError, TypeError):
        raise _unavailable("the answer is none") from None


def _from_botocore() -> Credentials:
    try:
        found = botocore_session().get_credentials()
    except ImportError:
        found = None
    if found is None:
        raise _unavailable("the environment has none")
    frozen = found.get_frozen_credentials()
    return Credentials(frozen.access_key, frozen.secret_key, frozen.token)


@cache
def botocore_session() -> "Session":
    """One for the process: it keeps the services' descriptions, which are long."""
    from botocore.session import get_session

    return get_session()


def _unavailable(why: str) -> OrielError:
    hint = "Run it with a role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
    return OrielError("unavailable", f"There are no AWS credentials: {why}.", hint=hint)
