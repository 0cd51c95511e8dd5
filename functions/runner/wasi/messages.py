"""Requests, responses and bodies of `wasi:http/types`.

Rules kept here:

- A body is read whole from memory and written whole into it, up to the bound of what it is for.
- Each part is taken once: a second `consume`, `body`, `stream` or `write` is answered with an error.
- Trailers are ignored, in both directions.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, TypeAlias

from msgspec import Struct, field

from oriel.errors import OrielError
from runner.execution import Execution
from runner.wasi.fields import Fields
from runner.wasi.polling import Pollable, Ready
from runner.wasi.streams import InputStream, OutputStream

Variant: TypeAlias = tuple[str, Any]
Taken: TypeAlias = tuple[Literal["err"], None]
TAKEN: Taken = ("err", None)
SET: Final = ("ok", None)
LOWEST_STATUS, HIGHEST_STATUS = 100, 999

_METHODS: Final = frozenset({"get", "head", "post", "put", "delete", "connect", "options", "trace", "patch"})


def method_case(method: str) -> Variant:
    """`("get", None)` for `GET`."""
    known = method.lower()
    return (known, None) if known in _METHODS else ("other", method)


class IncomingBody:
    """A body that came."""

    __slots__ = ("_data",)

    def __init__(self, data: bytes) -> None:
        self._data: bytes | None = data

    def stream(self) -> InputStream | None:
        if self._data is None:
            return None
        data, self._data = self._data, None
        return InputStream(data)


class OutgoingBody:
    """A body that is being written. `finished` is told once, with the whole of it.

    Args:
        limit: of its bytes.
        too_large: the code of the error past it.
    """

    __slots__ = ("_code", "_finished", "_limit", "_written", "data", "is_finished")

    def __init__(self, limit: int, too_large: str) -> None:
        self.data = bytearray()
        self.is_finished = False
        self._written = False
        self._limit = limit
        self._code = too_large
        self._finished: Callable[[Execution], None] | None = None

    @property
    def is_open(self) -> bool:
        return not self.is_finished

    def open(self) -> OutputStream | None:
        if self._written:
            return None
        self._written = True
        return OutputStream(self)

    def take(self, execution: Execution, data: bytes) -> None:
        if len(self.data) + len(data) > self._limit:
            raise OrielError(self._code, f"The body has over {self._limit:,} bytes, and no more are allowed.")
        execution.budgets.charge_held(len(data))
        self.data += data

    def when_finished(self, execution: Execution, call: Callable[[Execution], None]) -> None:
        """Call now, where it is finished already, or then."""
        if self.is_finished:
            call(execution)
        else:
            self._finished = call

    def finish(self, execution: Execution) -> None:
        self.is_finished = True
        if self._finished is not None:
            self._finished(execution)


class IncomingRequest(Struct):
    """What the component is asked. `target` is the path with its query."""

    method: str
    target: str
    authority: str
    headers: Fields
    body: IncomingBody | None


class IncomingResponse(Struct):
    """What another host answered."""

    status: int
    headers: Fields
    body: IncomingBody | None


class OutgoingRequest(Struct):
    """A request in the making."""

    headers: Fields
    method: Variant = ("get", None)
    target: str | None = None
    scheme: Variant | None = None
    authority: str | None = None
    body: OutgoingBody | None = None


class OutgoingResponse(Struct):
    """An answer in the making."""

    headers: Fields
    status: int = 200
    body: OutgoingBody | None = None


class ResponseOutparam(Struct):
    """Where the component puts its answer: `("ok", OutgoingResponse)`, `("err", error-code)`; None until then."""

    answer: tuple[str, Any] | None = None


class RequestOptions(Struct):
    """Nanoseconds, by the option's name."""

    times: dict[str, int | None] = field(default_factory=dict)


class FutureTrailers:
    """Trailers that there are none of."""

    __slots__ = ("_told",)

    def __init__(self) -> None:
        self._told = False

    def get(self) -> tuple[str, Any]:
        first, self._told = not self._told, True
        return ("ok", ("ok", None)) if first else TAKEN


# What came


def method(_execution: Execution, request: IncomingRequest) -> Variant:
    return method_case(request.method)


def target(_execution: Execution, request: IncomingRequest) -> str:
    return request.target


def scheme(_execution: Execution, _request: IncomingRequest) -> Variant:
    return ("HTTPS", None)


def authority(_execution: Execution, request: IncomingRequest) -> str:
    return request.authority


def headers(
    _execution: Execution, message: IncomingRequest | IncomingResponse | OutgoingRequest | OutgoingResponse
) -> Fields:
    return message.headers.seen()


def consume(
    _execution: Execution, message: IncomingRequest | IncomingResponse
) -> tuple[Literal["ok"], IncomingBody] | Taken:
    body, message.body = message.body, None
    return TAKEN if body is None else ("ok", body)


def status(_execution: Execution, response: IncomingResponse | OutgoingResponse) -> int:
    return response.status


def body_stream(_execution: Execution, body: IncomingBody) -> tuple[Literal["ok"], InputStream] | Taken:
    stream = body.stream()
    return TAKEN if stream is None else ("ok", stream)


def finish_incoming(_execution: Execution, _body: IncomingBody) -> FutureTrailers:
    return FutureTrailers()


def trailers_subscribe(_execution: Execution, _trailers: FutureTrailers) -> Pollable:
    return Ready()


def trailers_get(_execution: Execution, trailers: FutureTrailers) -> tuple[str, Any]:
    return trailers.get()


# What goes out


def outgoing_request(_execution: Execution, lines: Fields) -> OutgoingRequest:
    return OutgoingRequest(lines)


def outgoing_response(_execution: Execution, lines: Fields) -> OutgoingResponse:
    return OutgoingResponse(lines)


def request_body(execution: Execution, request: OutgoingRequest) -> tuple[Literal["ok"], OutgoingBody] | Taken:
    if request.body is not None:
        return TAKEN
    request.body = OutgoingBody(execution.budgets.limits.max_egress_bytes, "host_budget_exceeded")
    return ("ok", request.body)


def response_body(execution: Execution, response: OutgoingResponse) -> tuple[Literal["ok"], OutgoingBody] | Taken:
    if response.body is not None:
        return TAKEN
    response.body = OutgoingBody(execution.budgets.limits.max_response_bytes, "output_too_large")
    return ("ok", response.body)


def body_write(_execution: Execution, body: OutgoingBody) -> tuple[Literal["ok"], OutputStream] | Taken:
    stream = body.open()
    return TAKEN if stream is None else ("ok", stream)


def finish_outgoing(execution: Execution, body: OutgoingBody, _trailers: Fields | None) -> tuple[Literal["ok"], None]:
    body.finish(execution)
    return ("ok", None)


def set_status(_execution: Execution, response: OutgoingResponse, code: int) -> tuple[str, None]:
    if not LOWEST_STATUS <= code <= HIGHEST_STATUS:
        return TAKEN
    response.status = code
    return SET


def getter(name: str) -> Callable[[Execution, OutgoingRequest], Any]:
    """Reads one part of a request in the making."""
    return lambda _execution, request: getattr(request, name)


def setter(name: str) -> Callable[[Execution, OutgoingRequest, Any], tuple[str, None]]:
    """Sets one part of a request in the making; the whole is judged when it is sent."""

    def set_part(execution: Execution, request: OutgoingRequest, value: Any) -> tuple[str, None]:
        text = value[1] if isinstance(value, tuple) else value
        execution.budgets.charge_held(len(text or ""))
        setattr(request, name, value)
        return SET

    return set_part


def request_options(_execution: Execution) -> RequestOptions:
    return RequestOptions()


def option_getter(name: str) -> Callable[[Execution, RequestOptions], int | None]:
    return lambda _execution, options: options.times.get(name)


def option_setter(name: str) -> Callable[[Execution, RequestOptions, int | None], tuple[str, None]]:
    def set_option(_execution: Execution, options: RequestOptions, duration: int | None) -> tuple[str, None]:
        options.times[name] = duration
        return SET

    return set_option


def answer(_execution: Execution, outparam: ResponseOutparam, response: tuple[str, Any]) -> None:
    outparam.answer = response


def lines_of(pairs: Sequence[tuple[str, str]]) -> Fields:
    """Headers that came, as a guest may look at them."""
    return Fields(tuple((name.lower(), _bytes(value)) for name, value in pairs), fixed=True)


def _bytes(value: str) -> bytes:
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode()
