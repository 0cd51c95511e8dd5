"""Why a run failed: the engine's errors in the words of the catalogue.

Rules kept here:

- Each cause has its own code; the engine's trap codes tell them apart, its message is only shown.
- What is exact: the engine's trap codes, and the size of the guest's memory (`runner.memory`). What is inferred: that
  a guest which ended itself did so for want of memory. It is called `memory_limit` where its memory stands within an
  eighth of the limit, as it does when an interpreter cannot grow its heap any more. Where one allocation, far larger
  than what was left, was refused, the engine keeps no trace of it: that is `guest_trap`, and the detail says how much
  memory there was and what was allowed, so that its author can tell.
- A failure carries what was measured until then, so that a receipt can be written.
"""

from oriel.errors import OrielError

STACK_OVERFLOW, UNREACHABLE, INTERRUPT, OUT_OF_FUEL = 0, 9, 10, 11
"""Trap codes of wasmtime 50 (`wasmtime/trap.h`)."""

MEGABYTE = 1 << 20
_FRAMES = 3
_OVER_LIMITS = ("exceeds memory limits", "exceeds table limits")
_TOO_MUCH_COPIED = "fuel allocated for hostcalls has been exhausted"
_BACKTRACE = "error while executing at wasm backtrace"
_TEXT_LIMIT = 400


class RunFailure(OrielError):
    """A run that ended without an answer. Times in milliseconds, memory in bytes, fuel in the engine's units."""

    def __init__(self, code: str, detail: str = "", *, hint: str | None = None) -> None:
        super().__init__(code, detail, hint=hint)
        self.cpu_ms = 0.0
        self.duration_ms = 0.0
        self.peak_memory_bytes = 0
        self.fuel: int | None = None


def from_host(error: BaseException) -> RunFailure:
    """The failure for what a host function raised: an `OrielError` as it is, anything else as `internal`."""
    if isinstance(error, OrielError):
        failure = RunFailure(error.code, error.detail, hint=error.hint)
        failure.retry_after, failure.extra = error.retry_after, error.extra
    else:
        failure = RunFailure("internal")
    failure.__cause__ = error
    return failure


def from_engine(  # noqa: PLR0911 - one return for each cause
    code: int | None, message: str, *, memory_bytes: int, memory_limit: int
) -> RunFailure:
    """The failure for an error of the engine.

    Args:
        code: the trap's code; None where it is no trap.
        message: the engine's, with a backtrace of the guest.
        memory_bytes: the guest's memory when it ended.
        memory_limit: what it was allowed.
    """
    cause = _cause(message)
    if code == INTERRUPT:
        return RunFailure("deadline_exceeded", "The extension was still computing when its time was up.")
    if code == OUT_OF_FUEL:
        return RunFailure("fuel_exhausted")
    if code == STACK_OVERFLOW:
        return RunFailure("stack_overflow", f"The extension ran out of stack{_place(message)}.")
    if _TOO_MUCH_COPIED in message:
        return _too_much_copied(in_a_host_call=_BACKTRACE in message)
    if code is None and (cause.endswith(_OVER_LIMITS) or cause.startswith("resource limit exceeded")):
        return RunFailure("memory_limit", f"The extension cannot start within {_mb(memory_limit)}: {cause}.")
    if code == UNREACHABLE and memory_bytes > memory_limit - max(memory_limit // 8, 2 * MEGABYTE):
        used = f"{_mb(memory_bytes)} of {_mb(memory_limit)}"
        return RunFailure("memory_limit", f"The extension gave up with {used} in use.")
    memory = f"{_mb(memory_bytes)} of {_mb(memory_limit)} of memory"
    return RunFailure("guest_trap", f"{cause}{_place(message)}, with {memory} in use.")


def _too_much_copied(*, in_a_host_call: bool) -> RunFailure:
    if in_a_host_call:
        return RunFailure("host_budget_exceeded", "One host call handed over more than the engine carries.")
    return RunFailure("output_too_large", "The answer is larger than the engine carries.")


def _mb(size: int) -> str:
    return f"{size / MEGABYTE:.1f} MiB"


def _cause(message: str) -> str:
    """The last line that says something: the innermost cause."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    cause = lines[-1] if lines else "unknown error"
    return cause.split("wasm trap: ", 1)[-1].lstrip("0123456789: ")[:_TEXT_LIMIT]


def _place(message: str) -> str:
    """Where in the guest, by the names of the innermost functions, as far as the guest carries them."""
    frames = [line.split("!", 1)[1].strip() for line in message.splitlines() if "!" in line][:_FRAMES]
    named = [frame for frame in frames if not frame.startswith("<wasm function")]
    return f" (in {', called by '.join(named)})"[:_TEXT_LIMIT] if named else ""
