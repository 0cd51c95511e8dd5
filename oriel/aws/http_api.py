"""Events of an HTTP API (payload format 2.0), and answers to them.

Rules kept here:

- API Gateway has decoded the path, and no longer says how it was written. It is encoded again; what that loses is a
  slash or a dot segment that was encoded, which is then one in plain sight, and judged as such.
- The query is as it was sent. Repeated headers come joined by commas, and go out joined.
- An answer's body goes as text where it is some, else in base64: what Lambda takes is JSON.

Source: AWS, "Create AWS Lambda proxy integrations for HTTP APIs in API Gateway".
"""

import base64
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from oriel.errors import OrielError
from oriel.values import Discreet

_PATH_SAFE = "/:@!$&'()*+,;=~"


class HttpEvent(Discreet, frozen=True):
    """One request. `path` is percent-encoded; header names are lower case; `host` is the API's own name."""

    method: str
    host: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @classmethod
    def parse(cls, event: Mapping[str, Any]) -> "HttpEvent":
        """Read an event.

        Raises:
            OrielError: `malformed_request`, where it is none of this format.
        """
        try:
            http = event["requestContext"]["http"]
            given = event.get("body") or ""
            return cls(
                method=str(http["method"]),
                host=str(event["requestContext"].get("domainName", "")),
                path=quote(str(event["rawPath"]), safe=_PATH_SAFE),
                query=str(event.get("rawQueryString", "")),
                headers=tuple((str(name).lower(), str(value)) for name, value in event.get("headers", {}).items()),
                body=base64.b64decode(given) if event.get("isBase64Encoded") else given.encode(),
            )
        except (KeyError, TypeError, ValueError):
            raise OrielError("malformed_request", "The event is no request of an HTTP API.") from None


def answer(status: int, headers: Iterable[tuple[str, str]], body: bytes) -> dict[str, Any]:
    """What API Gateway makes an answer of."""
    joined: dict[str, str] = {}
    for name, value in headers:
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    given: dict[str, Any] = {"statusCode": status, "headers": joined}
    try:
        return given | {"body": body.decode(), "isBase64Encoded": False}
    except UnicodeDecodeError:
        return given | {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
