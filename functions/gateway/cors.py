"""CORS: which web origins may call the gateway from a browser.

Rules kept here:

- Configured origins only, compared whole. An origin that is not configured, and `null`, gets no CORS header at all.
- Credentials are never allowed: callers send a bearer token, so no ambient cookie can be used against a user.
- Answers that depend on the origin say `vary: origin`, whoever asks.

What decides about the request itself is its token; CORS decides only what a browser shows to a page.
"""

from collections.abc import Iterable

from gateway.headers import reaches_guest
from gateway.messages import GatewayRequest, GatewayResponse, Headers
from oriel.errors import OrielError

PREFLIGHT_SECONDS = 600
_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
_VARY: Headers = (("vary", "origin"),)


class Cors:
    """The policy for a set of origins, each written as browsers do: `https://app.example.com`."""

    def __init__(self, origins: Iterable[str]) -> None:
        self._origins = frozenset(origin.rstrip("/") for origin in origins)

    def headers(self, origin: str | None) -> Headers:
        """What to add to an answer."""
        if origin is None or origin not in self._origins:
            return _VARY
        return (*_VARY, ("access-control-allow-origin", origin), ("access-control-expose-headers", "*"))

    def preflight(self, request: GatewayRequest) -> GatewayResponse | None:
        """The answer to a preflight request, without what `headers` adds; None where the request is not one.

        Raises:
            OrielError: `origin_not_allowed`.
        """
        origin = request.header("origin")
        if request.method != "OPTIONS" or origin is None or request.header("access-control-request-method") is None:
            return None
        if origin not in self._origins:
            raise OrielError("origin_not_allowed", "The origin of this page may not call the gateway.")
        return GatewayResponse(
            status=204,
            headers=(
                ("access-control-allow-methods", _METHODS),
                ("access-control-allow-headers", _allowed(request.header("access-control-request-headers") or "")),
                ("access-control-max-age", str(PREFLIGHT_SECONDS)),
            ),
        )


def _allowed(asked: str) -> str:
    """Of the headers asked for, those that are taken: the bearer token, and what reaches a guest."""
    names = dict.fromkeys(name.strip().lower() for name in asked.split(","))
    return ", ".join(name for name in names if name == "authorization" or reaches_guest(name))
