"""Requests to the hosts that the tenant consented to. Needs `http.fetch`, with its `hosts`.

A secret is best not read: `headers={"authorization": f"Bearer {secrets.reference('API_TOKEN')}"}`.
"""

import json as jsonlib
from typing import Any

from oriel_guest._host import call, from_body, interface, to_body, to_headers
from oriel_guest.errors import FetchFailed
from oriel_guest.messages import JSON, Headers, Pairs, dumps

_wit = interface("http", "http.fetch")


class Answer:
    """What another server answered.

    Attributes:
        status: its status, whatever it is.
        url: where the answer came from, after redirects.
    """

    def __init__(self, status: int, headers: Headers, body: bytes, url: str) -> None:
        self.status, self.headers, self.body, self.url = status, headers, body, url

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def text(self) -> str:
        """The body as UTF-8; what is not UTF-8 becomes U+FFFD."""
        return self.body.decode(errors="replace")

    def json(self) -> Any:
        """The body as JSON. `ValueError` where it is not."""
        return jsonlib.loads(self.body)

    def raise_for_status(self) -> "Answer":
        """Itself where `ok`. `FetchFailed` otherwise."""
        if not self.ok:
            raise FetchFailed("protocol", f"{self.url} answered {self.status}.")
        return self


def fetch(
    url: str,
    method: str = "GET",
    *,
    headers: Pairs = (),
    body: str | bytes | None = None,
    json: Any = None,
    timeout: float | None = None,
    redirects: int = 0,
    max_bytes: int | None = None,
) -> Answer:
    """Send one request and wait for the whole answer.

    Args:
        url: `https://host/…`; the host must be one that was granted.
        json: a value to send as JSON, instead of `body`.
        timeout: seconds; never longer than what is left of the execution.
        redirects: how many to follow; 0 gives the redirect itself back.
        max_bytes: the largest answer to take.

    Raises:
        Denied, Invalid, LimitExceeded, FetchFailed.
    """
    lines = Headers(headers)
    if json is not None:
        body = dumps(json)
        if "content-type" not in lines:
            lines.add("content-type", JSON)
    request = _wit.Outgoing(method.upper(), url, to_headers(lines.pairs()), to_body(body))
    timeout_ms = None if timeout is None else max(1, round(timeout * 1000))
    answer = call(_wit.fetch, request, _wit.Options(timeout_ms, redirects, max_bytes))
    pairs = [(header.name, header.value) for header in answer.headers]
    return Answer(answer.status, Headers(pairs), from_body(answer.body), answer.url)
