"""What becomes of a call of the platform's own: is it done, is it tried again and when, or is it given up.

    2xx                                          done
    the platform cannot, or may not just now     waits: no attempt is counted, the next one later and later
    the handler refuses (4xx), or is not there   given up at once: the same would be refused again
    anything else                                tried again after a growing pause, so many times

Rules kept here: a function of the answer and of what came before it; chance only spreads the pauses.
"""

import random
from typing import Literal

from msgspec import Struct

from gateway.headers import EXECUTION_ID
from gateway.messages import GatewayResponse

FIRST_PAUSE_MS = 2_000
LONGEST_PAUSE_MS = 3_600_000
LONGEST_WAIT_MS = 300_000
WAITS = frozenset(
    {
        "artifact_unavailable",
        "install_disabled",
        "overloaded",
        "publisher_revoked",
        "quarantined",
        "quota_exceeded",
        "rate_limited",
        "unavailable",
        "version_yanked",
    }
)
GONE = frozenset({"endpoint_not_found", "method_not_allowed", "invalid_path", "forbidden"})
_TRY_AGAIN_4XX = frozenset({401, 408, 409, 421, 423, 425, 429})

Verdict = Literal["done", "wait", "again", "given_up"]


class Outcome(Struct, frozen=True):
    """`reason` is an error's code, or the handler's status in words; None where it is done."""

    verdict: Verdict
    status: int
    reason: str | None
    execution_id: str | None
    retry_after_ms: int | None = None


def judged(answer: GatewayResponse) -> Outcome:
    """What an answer means."""
    execution_id = next((value for name, value in answer.headers if name == EXECUTION_ID), None)
    if answer.error is None:
        return Outcome(_of_status(answer.status), answer.status, _reason(answer.status), execution_id)
    code, after = answer.error.code, answer.error.retry_after
    return Outcome(_of_code(code), answer.status, code, execution_id, None if after is None else after * 1_000)


def pause_ms(attempts: int) -> int:
    """How long until the next attempt, after `attempts` that failed: doubling, and between half of it and all of it."""
    longest = min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** min(attempts - 1, 20))
    return random.randint(longest // 2, longest)  # noqa: S311 - it spreads attempts, and hides nothing


def wait_ms(waited_ms: int, retry_after_ms: int | None) -> int:
    """How long until what is not its fault is looked at again: the longer, the longer it has waited."""
    longest = max(1_000, min(LONGEST_WAIT_MS, waited_ms // 4))
    return max(retry_after_ms or 0, random.randint(longest // 2, longest))  # noqa: S311 - as above


def _of_status(status: int) -> Verdict:
    if 200 <= status <= 299:
        return "done"
    return "given_up" if 400 <= status <= 499 and status not in _TRY_AGAIN_4XX else "again"


def _of_code(code: str) -> Verdict:
    if code in WAITS:
        return "wait"
    return "given_up" if code in GONE else "again"


def _reason(status: int) -> str | None:
    return None if 200 <= status <= 299 else f"answered {status}"
