"""Clients of AWS services, and what a URL such as `dynamodb:TABLE?region=eu-central-1` says of one.

Rules kept here:

- botocore is imported when a client is made, not before: it costs a quarter of a second.
- A client never retries by itself. Its user does, because only that one knows what a second attempt would do.
- Waiting is bounded: seconds for a connection and for an answer.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl

from oriel.errors import Finding, InvalidInput

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from botocore.session import Session

T = TypeVar("T")

CONNECT_SECONDS = 2
ATTEMPTS = 6
FIRST_PAUSE_SECONDS = 0.025
_OPTIONS = {"region", "endpoint"}


@dataclass(frozen=True, slots=True)
class Target:
    """A table or bucket, and where it is: by default the region and the endpoint of the environment."""

    name: str
    region: str | None = None
    endpoint: str | None = None

    @classmethod
    def parse(cls, rest: str, *, setting: str, form: str) -> "Target":
        """What follows the scheme: `NAME[?region=…&endpoint=…]`.

        Raises:
            InvalidInput: `invalid_input`, naming `setting` and the `form` it should have.
        """
        name, _, query = rest.partition("?")
        pairs = parse_qsl(query, keep_blank_values=True)
        options = dict(pairs)
        if not name or len(options) != len(pairs) or not options.keys() <= _OPTIONS or "" in options.values():
            finding = Finding(setting, f"{rest!r} is not of the form {form}.")
            raise InvalidInput("invalid_input", [finding], subject="The environment")
        return cls(name, options.get("region"), options.get("endpoint"))


@dataclass(frozen=True, slots=True)
class Credentials:
    """Keys for a client, where they should not come from the environment."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None


def make_client(
    service: str, target: Target, credentials: Credentials | None, *, read_seconds: int, **config: Any
) -> "BaseClient":
    """A low-level client. `config` are further options of `botocore.config.Config`."""
    from botocore.config import Config

    options = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=read_seconds,
        retries={"total_max_attempts": 1},
        max_pool_connections=50,
        **config,
    )
    return _session().create_client(
        service,
        region_name=target.region,
        endpoint_url=target.endpoint,
        config=options,
        aws_access_key_id=credentials and credentials.access_key_id,
        aws_secret_access_key=credentials and credentials.secret_access_key,
        aws_session_token=credentials and credentials.session_token,
    )


@cache
def _session() -> "Session":
    """One for the process: it keeps the services' descriptions, which are long."""
    from botocore.session import get_session

    return get_session()


class Again(Exception):
    """An attempt failed in a way that another may not.

    Args:
        ambiguous: the service may have carried it out all the same.
    """

    def __init__(self, reason: str, *, ambiguous: bool) -> None:
        self.reason, self.ambiguous = reason, ambiguous
        super().__init__(reason)


def persist(attempt: Callable[[bool], T], sleep: Callable[[float], None] = time.sleep) -> T:
    """Call `attempt` until it raises no `Again`, `ATTEMPTS` times, with growing pauses of random length between.

    `attempt` is told whether an earlier one may have been carried out. The last `Again` is passed on.
    """
    ambiguous = False
    for number in range(ATTEMPTS - 1):
        try:
            return attempt(ambiguous)
        except Again as again:
            ambiguous = ambiguous or again.ambiguous
        sleep(random.uniform(0.5, 1.0) * FIRST_PAUSE_SECONDS * 2**number)  # noqa: S311 - spreads callers, hides nothing
    return attempt(ambiguous)
