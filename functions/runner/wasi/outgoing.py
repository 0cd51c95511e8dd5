"""`wasi:http/outgoing-handler`: requests to the hosts the tenant consented to, as `http.fetch` sends them.

Rules kept here:

- The capability, the grants, the screen, the budgets and the secret references are `http.fetch`'s own.
- A request goes out when it was handed over and its body is finished, and its answer is there when that call
  returns: requests of one execution follow each other.
- A redirect is an answer like any other.
- `error-code` has no room for words: why a request failed is written into the extension's log.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final, Literal, TypeAlias

from runner.egress.model import Case, EgressError, Outgoing
from runner.execution import Execution
from runner.host import http, log
from runner.wasi.messages import IncomingBody, IncomingResponse, OutgoingRequest, RequestOptions, lines_of
from runner.wasi.polling import NANOSECONDS, Never, Pollable, Ready

CAPABILITY: Final = "http.fetch"
PLACE: Final = "wasi:http/outgoing-handler.handle"
ErrorCode: TypeAlias = tuple[str, Any]

_FRAMING: Final = frozenset({"content-length", "expect"})
_NO_INFO: Final = {"rcode": None, "info_code": None}
_CODES: Final[Mapping[Case, ErrorCode]] = {
    "denied": ("HTTP-request-denied", None),
    "dns": ("DNS-error", _NO_INFO),
    "connect": ("destination-unavailable", None),
    "tls": ("TLS-protocol-error", None),
    "timeout": ("HTTP-response-timeout", None),
    "too-large": ("HTTP-response-body-size", None),
    "too-many-redirects": ("loop-detected", None),
    "protocol": ("HTTP-protocol-error", None),
}


class FutureResponse:
    """The answer to a request, once that was sent."""

    __slots__ = ("_told", "result")

    def __init__(self) -> None:
        self.result: tuple[str, Any] | None = None
        self._told = False

    def get(self) -> tuple[str, Any] | None:
        if self.result is None:
            return None
        first, self._told = not self._told, True
        return ("ok", self.result) if first else ("err", None)


def handle(
    execution: Execution, request: OutgoingRequest, options: RequestOptions | None
) -> tuple[Literal["ok"], FutureResponse] | tuple[Literal["err"], ErrorCode]:
    """Send a request, now or when its body is finished."""
    execution.budgets.charge_call()
    if CAPABILITY not in execution.providers:
        execution.budgets.denied_calls += 1
        return ("err", _code(execution, request, EgressError("denied", f"The tenant has not granted {CAPABILITY}.")))
    future = FutureResponse()

    def send(execution: Execution) -> None:
        future.result = _send(execution, request, options)

    if request.body is None:
        send(execution)
    else:
        request.body.when_finished(execution, send)
    return ("ok", future)


def subscribe(_execution: Execution, future: FutureResponse) -> Pollable:
    return _Answered(future)


def get(_execution: Execution, future: FutureResponse) -> tuple[str, Any] | None:
    return future.get()


def error_code(_execution: Execution, _error: object) -> None:
    """No stream here fails for a reason of HTTP."""


class _Answered:
    """Ready once there is an answer; until then only the guest itself can bring it about."""

    __slots__ = ("_future",)

    def __init__(self, future: FutureResponse) -> None:
        self._future = future

    def ready_at(self) -> float:
        return (Never() if self._future.result is None else Ready()).ready_at()


def _send(execution: Execution, request: OutgoingRequest, options: RequestOptions | None) -> tuple[str, Any]:
    execution.check_deadline()
    outgoing = _outgoing(request)
    sent = partial(_sent, execution, outgoing, _options(options))
    if execution.tape is None:
        case, came = sent()
    else:
        asked = (outgoing.method, outgoing.url, list(outgoing.headers), outgoing.body)
        case, came = execution.tape.call(PLACE, asked, sent)
    if case == "err":
        return ("err", _code(execution, request, EgressError(*came)))
    return ("ok", _incoming(*came))


def _sent(execution: Execution, request: Outgoing, options: http.OptionsRecord | None) -> tuple[str, tuple[Any, ...]]:
    """The answer's parts, or those of the error."""
    try:
        answer = http.send(execution, request, options)
    except EgressError as error:
        return ("err", (error.case, error.text))
    return ("ok", (answer.status, [tuple(line) for line in answer.headers], answer.body))


def _outgoing(request: OutgoingRequest) -> Outgoing:
    case, other = request.method
    lines = tuple(
        (name, value.decode("latin-1")) for name, value in request.headers.lines if name not in _FRAMING
    )  # the framing is the client's, and comes out the same
    body = b"" if request.body is None else bytes(request.body.data)
    return Outgoing(other if case == "other" else case.upper(), _url(request), lines, body)


def _url(request: OutgoingRequest) -> str:
    scheme, other = request.scheme or ("HTTPS", None)
    return f"{other if scheme == 'other' else scheme.lower()}://{request.authority or ''}{request.target or '/'}"


def _options(options: RequestOptions | None) -> http.OptionsRecord | None:
    """One bound for the whole exchange: it is done when `handle` returns, so its parts have no times of their own.

    Without a time for the answer's first byte there is none but the execution's deadline.
    """
    times = {} if options is None else options.times
    if times.get("first-byte-timeout") is None:
        return None
    total = sum(time or 0 for time in times.values())
    return {"timeout_ms": max(1, total * 1000 // NANOSECONDS), "redirects": 0, "max_body_bytes": None}


def _incoming(status: int, headers: list[tuple[str, str]], body: bytes) -> IncomingResponse:
    return IncomingResponse(status, lines_of(headers), IncomingBody(body))


def _code(execution: Execution, request: OutgoingRequest, error: EgressError) -> ErrorCode:
    log.emit(
        execution,
        "warn",
        f"a request failed: {error.text}",
        [{"name": "case", "value": error.case}, {"name": "host", "value": request.authority or ""}],
    )
    return _CODES.get(error.case, ("internal-error", error.text))
