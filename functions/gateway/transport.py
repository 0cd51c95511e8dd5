"""The way to the runner: a port, and what its forms share.

Rules kept here: what the runner says about itself stays inside: of its refusals only overload, failures of the guest
and unavailability reach the client.
"""

import json
from typing import Protocol

import msgspec

from oriel.contract import ExecuteRequest, ExecuteResponse
from oriel.errors import OrielError, problem_from

MARGIN_SECONDS = 2.0
ENVELOPE_BYTES = 2_000_000


class RunnerTransport(Protocol):
    """Carries an execution to a runner and its answer back."""

    def execute(self, request: ExecuteRequest) -> ExecuteResponse:
        """The runner's answer; a guest's failure is in its `error`.

        Raises:
            OrielError: no answer: `unavailable`, `overloaded`, `worker_lost`, `deadline_exceeded`.
        """
        ...

    def close(self) -> None: ...


def parsed(raw: bytes) -> ExecuteResponse:
    """The runner's answer to an execution that began."""
    try:
        return ExecuteResponse.from_json(raw)
    except msgspec.DecodeError:
        raise _unreadable() from None


def parsed_problem(raw: str | bytes, retry_after: int | None = None) -> OrielError:
    """The client's error for a problem object of the runner's."""
    try:
        problem = json.loads(raw)
        code, detail = str(problem["code"]), str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        return _unreadable()
    return runner_error(code, detail, retry_after)


def runner_error(code: str, detail: str, retry_after: int | None = None) -> OrielError:
    """The client's error for one that the runner reports."""
    error = problem_from(code, detail)
    if error.status < 429 or error.code == "internal":
        # Refused for how the gateway asked: nothing the client could mend, or should read.
        return OrielError("unavailable", "The runner refused the call.", retry_after=1)
    return OrielError(error.code, detail, retry_after=retry_after)


def _unreadable() -> OrielError:
    return OrielError("unavailable", "The runner's answer cannot be read.", retry_after=1)
