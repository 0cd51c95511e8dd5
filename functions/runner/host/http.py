"""`oriel:extension/http`: requests to the hosts the tenant consented to.

Rules kept here:

- What may be reached comes from the execution, never from the guest; no client means nothing is reached.
- The whole fetch ends by the execution's deadline, or sooner where the guest says so.
- Every byte either way is charged to the execution; past the budget the guest is told, and so it is the next time.
"""

from typing import Literal, Protocol, TypeAlias, TypedDict

from msgspec.structs import replace

from oriel import __version__
from oriel.errors import OrielError
from oriel.tracing import HEADER as TRACEPARENT
from runner.egress.model import Answer, Bounds, Case, Deadline, EgressError, Outgoing, Policy
from runner.execution import Execution
from runner.host.bodies import NOT_BASE64, Body, from_bytes, to_bytes

MAX_BODY_BYTES = 10_000_000


class Client(Protocol):
    """The part of `runner.egress.client.Egress` that fetching needs."""

    def fetch(self, request: Outgoing, policy: Policy, bounds: Bounds) -> Answer: ...


class HeaderRecord(TypedDict):
    name: str
    value: str


class OutgoingRecord(TypedDict):
    method: str
    url: str
    headers: list[HeaderRecord]
    body: Body


class OptionsRecord(TypedDict):
    timeout_ms: int | None
    redirects: int
    max_body_bytes: int | None


class IncomingRecord(TypedDict):
    status: int
    headers: list[HeaderRecord]
    body: Body
    url: str


Result: TypeAlias = tuple[Literal["ok"], IncomingRecord] | tuple[Literal["err"], tuple[Case, str]]


def fetch(execution: Execution, request: OutgoingRecord, options: OptionsRecord | None) -> Result:
    """Send one request; every failure is typed, and only the deadline's end ends the execution."""
    try:
        answer = send(execution, _outgoing(request), options)
    except EgressError as error:
        return ("err", (error.case, error.text))
    return ("ok", _incoming(answer))


def send(execution: Execution, request: Outgoing, options: OptionsRecord | None) -> Answer:
    """Send one request under the execution's policy and budgets; the caller has seen to the grant.

    Raises:
        EgressError: for everything but the deadline's end.
    """
    client: Client | None = execution.services.egress
    if client is None:
        raise EgressError("denied", "This platform sends no requests for extensions.")
    try:
        return client.fetch(_traced(request, execution), _policy(execution), _bounds(execution, options))
    except OrielError as error:
        if error.code != "host_budget_exceeded":
            raise
        raise EgressError("budget-exceeded", error.detail) from None


def _outgoing(request: OutgoingRecord) -> Outgoing:
    try:
        body = to_bytes(request["body"])
    except ValueError:
        raise EgressError("invalid-request", f"body: {NOT_BASE64}.") from None
    headers = tuple((header["name"], header["value"]) for header in request["headers"])
    return Outgoing(request["method"], request["url"], headers, body)


def _traced(request: Outgoing, execution: Execution) -> Outgoing:
    """With the trace that the execution is in, unless the guest names one itself."""
    parent = execution.context.traceparent
    if not parent or any(name.lower() == TRACEPARENT for name, _ in request.headers):
        return request
    return replace(request, headers=(*request.headers, (TRACEPARENT, parent)))


def _policy(execution: Execution) -> Policy:
    context = execution.context
    granted = "secrets.get" in execution.providers
    return Policy(
        install_id=context.install_id,
        hosts=execution.egress,
        user_agent=f"Oriel/{__version__} ({context.extension_id})",
        secrets=execution.secrets if granted else None,
    )


def _bounds(execution: Execution, options: OptionsRecord | None) -> Bounds:
    seconds, largest, redirects = execution.remaining(), MAX_BODY_BYTES, 0
    if options is not None:
        redirects = options["redirects"]
        if options["timeout_ms"] is not None:
            seconds = min(seconds, options["timeout_ms"] / 1000)
        if options["max_body_bytes"] is not None:
            largest = min(largest, options["max_body_bytes"])
    return Bounds(Deadline.after(seconds), redirects, largest, execution.budgets.charge_egress)


def _incoming(answer: Answer) -> IncomingRecord:
    content_type = next((value for name, value in answer.headers if name == "content-type"), "")
    return {
        "status": answer.status,
        "headers": [{"name": name, "value": value} for name, value in answer.headers],
        "body": from_bytes(answer.body, content_type),
        "url": answer.url,
    }
