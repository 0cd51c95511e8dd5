"""The one check that stands before every host function of every table."""

from collections.abc import Callable
from functools import partial
from typing import Any

from runner.execution import Execution


def guarded(
    place: str,
    call: Callable[..., Any],
    capability: str,
    denied: Callable[[str], Any] | None,
    *,
    counted: bool,
) -> Callable[..., Any]:
    """`call`, reached with the grant alone.

    Args:
        place: the function's name, as `oriel:extension/storage.get`.
        call: gets the execution and the decoded arguments.
        capability: what must be among the execution's providers.
        denied: the answer where it is not, from the capability's name; None for what is always there.
        counted: whether a call is charged to the budget of host calls. One that is not tells the guest nothing, and
            passes by no tape.
    """

    def checked(execution: Execution, *arguments: Any) -> Any:
        execution.check_deadline()
        if counted:
            execution.budgets.charge_call()
        if denied is not None and capability not in execution.providers:
            execution.budgets.denied_calls += 1
            return denied(capability)
        if execution.tape is not None and counted:
            return execution.tape.call(place, arguments, partial(call, execution, *arguments))
        return call(execution, *arguments)

    return checked
