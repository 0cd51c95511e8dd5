"""Calls to the host product: an operation that the operator has declared, carried out for a tenant.

What goes out is one JSON object, with a token that binds its bytes (`oriel.identity.product`):

    {"operation": "orders.list", "input": …, "user": {…} | null,
     "context": {tenant_id, extension_id, install_id, version, execution_id, request_id, trigger}}

What comes back is any JSON with a status of 2xx, or a problem object (RFC 9457).

| the product's answer | becomes |
|---|---|
| 2xx with JSON; without a body `null` | the answer |
| 400, 422 | `invalid-input`, with its `detail` |
| 403 | `denied`, with its `detail` |
| 502, 503, no answer | `unavailable` |
| 504, no answer in time | `timeout` |
| anything else, a redirect too | `host-error`, with status, `code` and `detail` |

Rules kept here:

- Where it goes is the operator's choice and never the guest's, so private addresses may be reached; of those that no
  product has (metadata services) none is, and no redirect is followed.
- A call ends by its own timeout or by the execution's deadline, whichever comes first; every byte is charged.
- Nothing is sent twice: whether the product acted on a call that broke is not for us to guess.
"""

import json
import logging
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import h11
from msgspec import Struct

from oriel import __version__, strict_json
from oriel.contract import ExecutionContext, User
from oriel.identity.product import HostTokenSigner
from oriel.operations import HostOperation
from oriel.tracing import HEADER as TRACEPARENT
from runner.egress.addresses import AddressScreen
from runner.egress.content import ACCEPTED
from runner.egress.dialer import Dialer
from runner.egress.model import Answer, Bounds, Deadline, EgressError
from runner.egress.pool import Key, Pool
from runner.egress.resolver import SystemResolver
from runner.egress.urls import Origin, Url
from runner.egress.wire import BrokenConnection, Connection, Prepared
from runner.product_error import MAX_DETAIL, Case, ProductError

ANYWHERE: Final = ("0.0.0.0/0", "::/0")
_CONTEXT: Final = ("tenant_id", "extension_id", "install_id", "version", "execution_id", "request_id", "trigger")
_PORTS: Final = {"http": 80, "https": 443}

_CASES: Final[Mapping[int, Case]] = {
    400: "invalid-input",
    403: "denied",
    422: "invalid-input",
    502: "unavailable",
    503: "unavailable",
    504: "timeout",
}
_log = logging.getLogger("oriel.product")


class _Target(Struct, frozen=True):
    url: Url
    operation: HostOperation


class Product:
    """The product behind the operator's operations. Safe to share between threads; close it."""

    def __init__(self, operations: Mapping[str, HostOperation], signer: HostTokenSigner) -> None:
        self._targets = {name: _Target(_url(operation.url), operation) for name, operation in operations.items()}
        self._signer = signer
        self._dialer = Dialer(SystemResolver(), AddressScreen(ANYWHERE))
        self._pool = Pool()

    def call(self, name: str, value: Any, context: ExecutionContext, user: User | None, bounds: Bounds) -> str:
        """Carry out an operation.

        Args:
            value: the input, a JSON value.
            user: on whose behalf; None where there is nobody.
            bounds: of the execution; the operation's own are held as well.

        Returns:
            The answer as JSON text.

        Raises:
            ProductError: and whatever `bounds.charge` raises.
        """
        target = self._targets.get(name)
        if target is None:
            raise ProductError("unknown-operation", f"This platform has no operation '{name}'.")
        operation = target.operation
        body = _body(name, value, context, user)
        token = self._signer.mint(body, name, context, None if user is None else user.id)
        deadline = min(bounds.deadline.at, time.monotonic() + operation.timeout_ms / 1000)
        own = Bounds(Deadline(deadline), 0, min(bounds.max_body_bytes, operation.max_bytes), bounds.charge)
        answer = self._exchange(_prepared(target, body, token, context.traceparent), own, name)
        return _text(name, answer)

    def close(self) -> None:
        """Close idle connections."""
        self._pool.close()

    def _exchange(self, request: Prepared, bounds: Bounds, name: str) -> Answer:
        key = Key("", request.url.origin)  # the product is the same whichever install it is called for
        try:
            connection = self._pool.take(key) or Connection(
                self._dialer.dial(request.url.origin, bounds.deadline), time.monotonic()
            )
            try:
                answer = connection.exchange(request, bounds)
            except BaseException:
                connection.close()
                raise
        except BrokenConnection:
            raise _failed(name, "unavailable", "The product closed the connection before it answered.") from None
        except EgressError as error:
            if error.case == "timeout":
                raise _failed(name, "timeout", "The product did not answer in time.") from None
            if error.case in {"too-large", "protocol"}:
                raise _failed(name, "host-error", f"The product's answer cannot be taken: {error.text}") from None
            raise _failed(name, "unavailable", "The product cannot be reached.", error.text) from None
        self._pool.put(key, connection)
        return answer


def _url(text: str) -> Url:
    """An operator's URL, already known to be http or https; unlike a guest's it may name an address."""
    parts = urlsplit(text)
    origin = Origin(parts.scheme, parts.hostname or "", parts.port or _PORTS[parts.scheme])
    return Url(origin, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))


def _body(name: str, value: Any, context: ExecutionContext, user: User | None) -> bytes:
    message = {
        "operation": name,
        "input": value,
        "context": {name: getattr(context, name) for name in _CONTEXT},
        "user": None if user is None else user.to_plain(),
    }
    return json.dumps(message, ensure_ascii=False).encode()


def _prepared(target: _Target, body: bytes, token: str, traceparent: str) -> Prepared:
    headers = {
        "host": target.url.origin.authority,
        "authorization": f"Bearer {token}",
        "content-type": "application/json",
        "content-length": str(len(body)),
        "accept": "application/json",
        "accept-encoding": ACCEPTED,
        "user-agent": f"Oriel/{__version__}",
    }
    headers |= {TRACEPARENT: traceparent} if traceparent else {}
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    method = target.operation.method
    return Prepared(target.url, h11.Request(method=method, target=target.url.target, headers=encoded), body)


def _text(name: str, answer: Answer) -> str:
    if 200 <= answer.status <= 299:
        if not answer.body:
            return "null"
        try:
            strict_json.loads(answer.body, max_bytes=len(answer.body))
        except strict_json.JsonError as error:
            raise _failed(name, "host-error", f"The product's answer is not valid JSON: {error}.") from None
        return answer.body.decode()
    problem = _problem(answer)
    detail = problem.get("detail")
    text = detail[:MAX_DETAIL] if isinstance(detail, str) and detail else f"The product answered {answer.status}."
    raise ProductError(_CASES.get(answer.status, "host-error"), text, answer.status, problem)


def _problem(answer: Answer) -> Mapping[str, Any]:
    try:
        problem = strict_json.loads(answer.body, max_bytes=len(answer.body))
    except strict_json.JsonError:
        return {}
    return problem if isinstance(problem, dict) else {}


def _failed(name: str, case: Case, detail: str, reason: str = "") -> ProductError:
    """The error, which is the operator's to see too: it is the platform's or the product's fault."""
    _log.warning("a host operation failed", extra={"operation": name, "case": case, "reason": reason or detail})
    return ProductError(case, detail)
