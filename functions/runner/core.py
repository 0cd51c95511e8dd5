"""One execution from the request to the answer and its receipt.

Rules kept here:

- The deadline counts from the moment the request came in and covers everything: waiting for a thread, fetching
  the component, the guest, its host calls, reading its answer.
- Every execution that began ends in an `ExecuteResponse` with a receipt, also where it failed. What never began
  (`overloaded`) is an `OrielError`.
- The bundle that runs is the one of the extension named: its signed index says whose it is.
- A failure says what the extension or its caller can mend. What went wrong inside goes to the log alone.
"""

import ctypes
import logging
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from typing import cast

from msgspec import Struct

from oriel.contract import ExecuteError, ExecuteRequest, ExecuteResponse, Receipt
from oriel.errors import OrielError
from oriel.telemetry import bind
from runner.board import Board
from runner.components import Components
from runner.exchange import Answer, GuestResponse, from_guest, largest_result, to_guest
from runner.execution import Execution, Services, Tape
from runner.host import console, metrics
from runner.pool import FairPool, Share
from runner.sandbox import LoadedComponent, RunFailure, RunLimits, Sandbox

_log = logging.getLogger(__name__)

MEBIBYTE = 1 << 20
_TOO_MUCH = frozenset({"output_too_large", "host_budget_exceeded"})
_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it


class _Use(Struct):
    """What the engine measured of one execution; zero where it never got that far."""

    queue_ms: float = 0.0
    cpu_ms: float = 0.0
    peak_memory_bytes: int = 0
    fuel: int | None = None
    cold: bool = False


class Runner:
    """Runs guests for one process. Close it.

    Args:
        components: where components come from.
        services: what host functions reach.
        share: how many threads, and who may have how many of them.
        board: where executions are noted for the supervisor; it needs a slot for each thread.
        resources: closed at the end.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        components: Components[LoadedComponent],
        services: Services,
        *,
        share: Share,
        board: Board | None = None,
        resources: ExitStack | None = None,
    ) -> None:
        self._sandbox = sandbox
        self._components = components
        self._services = services
        self._board = board
        self._resources = resources or ExitStack()
        self._pool: FairPool[ExecuteResponse] = FairPool(share, lambda response: response.receipt.cpu_ms / 1000)

    def submit(self, request: ExecuteRequest) -> "Future[ExecuteResponse]":
        """Queue an execution. `OrielError("overloaded")` where too many wait already."""
        arrived = time.monotonic()
        context = request.context
        future = self._pool.submit(
            context.tenant_id, context.install_id, lambda: self.execute(request, started_at=arrived)
        )
        if self._board is not None:
            self._board.mark_waiting(self._pool.waiting)
        return future

    def execute(
        self, request: ExecuteRequest, *, started_at: float | None = None, tape: Tape | None = None
    ) -> ExecuteResponse:
        """Run it in this thread. Never raises for what the guest does.

        Args:
            started_at: `time.monotonic()` when the request came in; now, where it is left out.
            tape: what host calls pass by; without one the request says whether it is recorded.
        """
        if request.record is not None and tape is None:
            from runner.recording import recorded  # few executions are, and a process starts sooner without

            return recorded(request, self._services, partial(self.execute, request, started_at=started_at))
        if request.context.traceparent:
            from runner.spans import traced

            return traced(request.context, tape, partial(self._execute, request, started_at))
        return self._execute(request, started_at, tape)

    def _execute(self, request: ExecuteRequest, started_at: float | None, tape: Tape | None) -> ExecuteResponse:
        execution = Execution.begin(request, self._services, started_at)
        execution.tape = tape
        queued = execution.elapsed_ms()
        if self._board is not None:
            self._board.mark_waiting(self._pool.waiting)
        context = request.context
        inside = self._board.inside(context) if self._board else nullcontext()
        with bind(execution_id=context.execution_id, tenant_id=context.tenant_id), inside:
            use = _Use(queue_ms=queued)
            try:
                with _explained(use):
                    answer = self._run(request, execution, use)
            except OrielError as error:
                if error.code in _TOO_MUCH:
                    _give_back()
                return _failed(error, _receipt(execution, use, error.code), execution)
            return _answered(answer, _receipt(execution, use), execution)

    def close(self) -> None:
        """Cancel what waits, wait for what runs, and let go of everything. Idempotent."""
        self._pool.close()
        self._components.close()
        self._sandbox.close()
        self._resources.close()

    def _run(self, request: ExecuteRequest, execution: Execution, use: _Use) -> Answer:
        execution.check_deadline()
        loaded, use.cold = self._components.get(request.context.content_hash, execution.remaining())
        if loaded.index.extension_id != request.context.extension_id:
            raise OrielError("malformed_request", "context.content_hash is the bundle of another extension.")
        guest_request = to_guest(request.http)
        execution.check_deadline()
        try:
            result = self._sandbox.run(
                loaded.component, dict(guest_request), state=execution, limits=_run_limits(execution)
            )
        finally:
            console.finish(execution)
        use.cpu_ms, use.peak_memory_bytes, use.fuel = result.cpu_ms, result.peak_memory_bytes, result.fuel
        answer = from_guest(cast("GuestResponse", result.value), request.limits)  # the codec's types hold
        execution.check_deadline()
        return answer


def _give_back() -> None:
    """Return free memory to the kernel.

    The engine unpacks a value whole before it can be refused. What a million small strings took, hundreds of megabytes,
    the C library would keep for the thread.
    """
    if _trim is not None:
        _trim(0)


@contextmanager
def _explained(use: _Use) -> Iterator[None]:
    """Keep what a failed run measured, and turn what nobody expected into `internal`."""
    try:
        yield
    except RunFailure as failure:
        use.cpu_ms, use.peak_memory_bytes, use.fuel = failure.cpu_ms, failure.peak_memory_bytes, failure.fuel
        raise
    except OrielError:
        raise
    except Exception:
        _log.exception("an execution failed inside")
        raise OrielError("internal") from None


def _run_limits(execution: Execution) -> RunLimits:
    limits = execution.budgets.limits
    return RunLimits(
        timeout_s=execution.remaining(),
        memory_bytes=limits.memory_mb * MEBIBYTE,
        fuel=limits.fuel,
        max_result_bytes=largest_result(limits),
    )


def _receipt(execution: Execution, use: _Use, reason: str | None = None) -> Receipt:
    used = execution.budgets
    return Receipt(
        duration_ms=round(execution.elapsed_ms(), 3),
        queue_ms=round(use.queue_ms, 3),
        cpu_ms=round(use.cpu_ms, 3),
        peak_memory_bytes=use.peak_memory_bytes,
        fuel=use.fuel,
        host_calls=used.host_calls,
        denied_calls=used.denied_calls,
        egress_bytes=used.egress_bytes,
        kv_reads=used.kv_reads,
        kv_writes=used.kv_writes,
        log_lines=used.log_lines,
        log_bytes=used.log_bytes,
        log_dropped=used.log_dropped,
        metric_samples=used.metric_samples,
        metrics_dropped=used.metrics_dropped,
        cold=use.cold,
        reason=reason,
    )


def _answered(answer: Answer, receipt: Receipt, execution: Execution) -> ExecuteResponse:
    return ExecuteResponse(
        status=answer.status,
        headers=answer.headers,
        **answer.body,
        receipt=receipt,
        logs=tuple(execution.lines),
        metrics=metrics.totals(execution),
    )


def _failed(error: OrielError, receipt: Receipt, execution: Execution) -> ExecuteResponse:
    return ExecuteResponse(
        status=error.status,
        error=ExecuteError(code=error.code, message=error.detail),
        receipt=receipt,
        logs=tuple(execution.lines),
        metrics=metrics.totals(execution),
    )
