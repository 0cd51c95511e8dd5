"""The screened client: what `http.fetch` of every guest goes through. One serves a whole process.

A request goes out if its URL is plain, a grant covers its origin, its secrets are bound there, and every address of
the host may be reached. Each hop of a redirect passes all of it again. The environment has no say: no proxy
variables, no `.netrc`, no cookie jar.
"""

import logging
import ssl
import time
from collections.abc import Callable, Iterable
from typing import Final, Literal, TypeAlias

import h11
from msgspec.structs import replace

from runner.egress.addresses import AddressScreen
from runner.egress.dialer import Dialer
from runner.egress.messages import checked, location, redirected, wire_headers
from runner.egress.model import Answer, Bounds, EgressError, Outgoing, Policy
from runner.egress.pool import Key, Pool
from runner.egress.references import References, headers_with_references
from runner.egress.resolver import Resolver, SystemResolver
from runner.egress.urls import Origin, Url, join, parse
from runner.egress.wire import BrokenConnection, Connection, Prepared

MAX_REDIRECTS: Final = 5
_REPEATABLE: Final = frozenset({b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE"})

Mode: TypeAlias = Literal["enforce", "report"]
Report: TypeAlias = Callable[[Policy, Origin], None]
_log = logging.getLogger("oriel.egress")


def log_report(policy: Policy, origin: Origin) -> None:
    """Record in the platform's log what `report` mode let pass."""
    _log.warning("egress would be denied", extra={"install_id": policy.install_id, "origin": str(origin)})


class Egress:
    """Requests on behalf of guests. Safe to share between threads.

    Args:
        allow_networks: private networks (CIDR) that guests may reach, where their grants cover the name.
        mode: in "report", an origin that no grant covers is told to `report` and let pass. Nothing else is relaxed:
            neither the screen of addresses nor what secrets are bound to.
        resolver, tls: None means the system's resolver, the system's certificate authorities.
    """

    def __init__(
        self,
        *,
        allow_networks: Iterable[str] = (),
        mode: Mode = "enforce",
        report: Report = log_report,
        resolver: Resolver | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._mode = mode
        self._report = report
        self._dialer = Dialer(resolver or SystemResolver(), AddressScreen(allow_networks), tls)
        self._pool = Pool()

    def fetch(self, request: Outgoing, policy: Policy, bounds: Bounds) -> Answer:
        """Send `request`, follow up to `bounds.redirects` redirects, and return the last answer.

        With `redirects` 0 a redirect is an answer like any other.

        Raises:
            EgressError: for everything a guest is told about; and whatever `bounds.charge` raises.
        """
        if not 0 <= bounds.redirects <= MAX_REDIRECTS:
            raise EgressError("invalid-request", f"redirects: {bounds.redirects} is not from 0 to {MAX_REDIRECTS}.")
        request, url = checked(request), parse(request.url)
        references = References(policy.secrets)
        try:
            return references.redact(self._follow(request, url, policy, bounds, references))
        except EgressError as error:
            raise EgressError(error.case, references.redact_text(error.text)) from None

    def close(self) -> None:
        """Close idle connections; requests under way keep theirs."""
        self._pool.close()

    def _follow(self, request: Outgoing, url: Url, policy: Policy, bounds: Bounds, references: References) -> Answer:
        for _ in range(bounds.redirects + 1):
            self._require_grant(url.origin, policy)
            answer = self._exchange(_prepared(request, url, references, policy.user_agent), policy, bounds)
            place = location(answer.status, answer.headers)
            if place is None or not bounds.redirects:
                return answer
            target = _next_hop(url, place)
            secret_headers = headers_with_references(request.headers)
            same_origin = target.origin == url.origin
            request = redirected(request, answer.status, same_origin=same_origin, secret_headers=secret_headers)
            url = target
        raise EgressError("too-many-redirects", f"The answer is still a redirect after {bounds.redirects} of them.")

    def _require_grant(self, origin: Origin, policy: Policy) -> None:
        if origin.covered_by(policy.hosts):
            return
        if self._mode == "enforce":
            raise EgressError("denied", f"The tenant has not granted {origin}.")
        self._report(policy, origin)

    def _exchange(self, request: Prepared, policy: Policy, bounds: Bounds) -> Answer:
        """One hop, over a kept connection where there is one.

        A kept connection may have ended without our knowing. What can be repeated is then sent again over a new
        one; anything else is not, since the server may have acted on it.
        """
        origin = request.url.origin
        key = Key(policy.install_id, origin)
        try:
            kept = self._pool.take(key)
            if kept is not None:
                try:
                    return self._over(kept, key, request, bounds)
                except BrokenConnection as broken:
                    if not broken.silent or request.head.method not in _REPEATABLE:
                        raise
            fresh = Connection(self._dialer.dial(origin, bounds.deadline), time.monotonic())
            return self._over(fresh, key, request, bounds)
        except BrokenConnection:
            raise EgressError("connect", f"{origin} closed the connection before its answer was complete.") from None

    def _over(self, connection: Connection, key: Key, request: Prepared, bounds: Bounds) -> Answer:
        try:
            answer = connection.exchange(request, bounds)
        except BaseException:
            connection.close()
            raise
        self._pool.put(key, connection)
        return answer


def _prepared(request: Outgoing, url: Url, references: References, user_agent: str) -> Prepared:
    filled = references.fill(request.headers, url.origin)
    lines = wire_headers(replace(request, headers=filled), url.origin, user_agent)
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in lines]
    return Prepared(url, h11.Request(method=request.method, target=url.target, headers=encoded), request.body)


def _next_hop(url: Url, place: str) -> Url:
    try:
        return join(url, place)
    except EgressError as error:
        if error.case == "denied":
            raise
        raise EgressError("protocol", f"The redirect of {url.origin} cannot be followed. {error.text}") from None
