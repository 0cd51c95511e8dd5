"""A runner behind HTTP.

Rules kept here, beside those of `gateway.transport`:

- A call carries a service token bound to its body (`oriel.identity.service`).
- A guest runs once. A call whose connection breaks is sent again, once and on another connection, only where the
  runner cannot have had all of it (see `_Sending`); a worker that ends with idle connections thus costs no request.
  Everywhere else the guest may have run: `worker_lost`, no repeat.
- Connections are kept and pooled; the wait for an answer is the execution's deadline and a margin, so that the
  runner's own `deadline_exceeded` arrives first.
- An answer is read up to a bound.
"""

import time
from collections.abc import Mapping
from typing import Any

import httpx

from gateway.transport import ENVELOPE_BYTES, MARGIN_SECONDS, parsed, parsed_problem
from oriel.contract import ExecuteRequest, ExecuteResponse
from oriel.errors import OrielError
from oriel.identity import ServiceTokenSigner

CONNECT_SECONDS = 1.0
KEEPALIVE_SECONDS = 4.0  # less than the runner's own, so that the gateway is the one who closes
MAX_CONNECTIONS = 64


class HttpRunner:
    """A runner at a URL. Safe to share between threads; close it.

    Args:
        url: of the runner, without a path.
        direct: nothing lies between, the URL is the workers' own socket; see `_Sending`.
        transport: in place of sockets.
    """

    def __init__(
        self,
        url: str,
        signer: ServiceTokenSigner,
        *,
        direct: bool = False,
        margin: float = MARGIN_SECONDS,
        max_connections: int = MAX_CONNECTIONS,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._signer, self._direct, self._margin = signer, direct, margin
        self._http = httpx.Client(
            base_url=url.rstrip("/"),
            headers={"accept-encoding": "identity", "content-type": "application/json"},
            limits=httpx.Limits(
                max_connections=max_connections,
                max_keepalive_connections=max_connections,
                keepalive_expiry=KEEPALIVE_SECONDS,
            ),
            transport=transport,
            trust_env=False,
        )

    def execute(self, request: ExecuteRequest) -> ExecuteResponse:
        body = request.to_json()
        seconds = request.limits.timeout_ms / 1000 + self._margin
        deadline = time.monotonic() + seconds
        try:
            try:
                answer, raw = self._send(request, body, deadline)
            except _NotArrivedError:
                answer, raw = self._send(request, body, deadline)
        except httpx.PoolTimeout:
            raise OrielError("overloaded", "All connections to the runner are in use.", retry_after=1) from None
        except (httpx.ConnectError, httpx.ConnectTimeout):
            raise OrielError("unavailable", "The runner does not answer.", retry_after=1) from None
        except httpx.TimeoutException:
            raise OrielError("deadline_exceeded", f"No answer came within {seconds:g} seconds.") from None
        except httpx.TransportError:
            raise OrielError("worker_lost") from None
        if answer.status_code == 200:
            return parsed(raw)
        retry_after = answer.headers.get("retry-after", "")
        raise parsed_problem(raw, int(retry_after) if retry_after.isdecimal() else None)

    def close(self) -> None:
        self._http.close()

    def _send(self, request: ExecuteRequest, body: bytes, deadline: float) -> tuple[httpx.Response, bytes]:
        """The answer and its body. A runner takes a token once, so that each call has its own.

        Raises:
            _NotArrivedError: the guest cannot have run.
            httpx.TransportError: no answer.
        """
        headers = {"authorization": f"Bearer {self._signer.mint(body, request.context)}"}
        seconds = max(0.0, deadline - time.monotonic())
        timeout = httpx.Timeout(seconds, connect=CONNECT_SECONDS, pool=CONNECT_SECONDS)
        limit = request.limits.max_response_bytes * 4 // 3 + ENVELOPE_BYTES
        sending = _Sending()
        try:
            with self._http.stream(
                "POST", "/v1/execute", content=body, headers=headers, timeout=timeout, extensions={"trace": sending}
            ) as answer:
                sending.answered = True
                return answer, _read(answer, limit, deadline)
        except (httpx.NetworkError, httpx.RemoteProtocolError) as error:
            if sending.cannot_have_arrived(error, direct=self._direct):
                raise _NotArrivedError(str(error)) from error
            raise


class _NotArrivedError(httpx.TransportError):
    """The connection broke before the runner had the whole call."""


class _Sending:
    """Watches one call leave, to tell after a failure whether the runner can have had all of it.

    It cannot where our own kernel did not take the whole of it. Nor where the connection was reset before an answer
    and nothing lies between: a kernel resets a connection whose process is gone when bytes were left unread or came
    later (RFC 1122, section 4.2.2.13), and of what is on the connection this call is the last. That a connection ended
    without a reset proves nothing: its process may have read everything.
    """

    def __init__(self) -> None:
        self.answered = False
        self._incomplete = False

    def __call__(self, event: str, _info: Mapping[str, Any]) -> None:
        """The connection's trace (httpcore's extension of that name)."""
        if event in _INCOMPLETE:
            self._incomplete = True

    def cannot_have_arrived(self, error: Exception, *, direct: bool) -> bool:
        return not self.answered and (self._incomplete or (direct and _was_reset(error)))


_INCOMPLETE = frozenset({"http11.send_request_headers.failed", "http11.send_request_body.failed"})


def _was_reset(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, ConnectionResetError):
        error = error.__cause__ or error.__context__
    return error is not None


def _read(answer: httpx.Response, limit: int, deadline: float) -> bytes:
    raw = bytearray()
    for chunk in answer.iter_raw():
        raw += chunk
        if len(raw) > limit:
            raise OrielError("output_too_large", f"The runner's answer has more than {limit:,} bytes.")
        if time.monotonic() > deadline:
            raise httpx.ReadTimeout("the answer came too slowly")
    return bytes(raw)
