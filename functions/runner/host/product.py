"""`oriel:extension/host`: operations of the host product, those that the tenant consented to.

Rules kept here:

- What may be called comes from the execution; an operation outside of it is `denied`, whether it exists or not.
- The whole call ends by the execution's deadline, and every byte of it is charged to the execution.
"""

from typing import Any, Literal, TypeAlias, TypedDict

from oriel import strict_json
from oriel.errors import OrielError
from runner.egress.model import Bounds, Deadline
from runner.execution import Execution
from runner.product_error import MAX_INPUT_BYTES, ProductError

MAX_ANSWER_BYTES = 10_000_000


class Failure(TypedDict):
    """`host.failure`."""

    status: int
    code: str
    detail: str


PlainCase: TypeAlias = Literal[
    "denied", "unknown-operation", "invalid-input", "unavailable", "timeout", "budget-exceeded"
]
Result: TypeAlias = (
    tuple[Literal["ok"], str]
    | tuple[Literal["err"], tuple[PlainCase, str]]
    | tuple[Literal["err"], tuple[Literal["host-error"], Failure]]
)


def call(execution: Execution, operation: str, text: str) -> Result:
    """Carry out an operation with JSON text."""
    if operation not in execution.operations:
        return ("err", ("denied", f"The tenant has not granted the operation '{operation[:64]}'."))
    try:
        value = strict_json.loads(text, max_bytes=MAX_INPUT_BYTES)
    except strict_json.JsonError as error:
        return ("err", ("invalid-input", f"input: not valid JSON: {error}."))
    try:
        return ("ok", perform(execution, operation, value))
    except ProductError as error:
        if error.case == "host-error":
            failure: Failure = {"status": error.status, "code": error.code, "detail": error.detail}
            return ("err", ("host-error", failure))
        return ("err", (error.case, error.detail))
    except OrielError as error:
        if error.code != "host_budget_exceeded":
            raise
        return ("err", ("budget-exceeded", error.detail))


def perform(execution: Execution, operation: str, value: Any) -> str:
    """The product's answer as JSON text, for an operation that the caller has found to be granted.

    Raises:
        ProductError
        OrielError: `host_budget_exceeded`.
    """
    product = execution.services.product
    if product is None:
        raise ProductError("unknown-operation", "This platform has no operations of a host product.")
    bounds = Bounds(Deadline.after(execution.remaining()), 0, MAX_ANSWER_BYTES, execution.budgets.charge_egress)
    return product.call(operation, value, execution.context, execution.acting_user, bounds)
