"""The one check that stands before every host function of every table."""

from collections.abc import Callable
from typing import Any

from runner.execution import Execution


def guarded(
    call: Callable[..., Any], capability: str, denied: Callable[[str], Any] | None, *, counted: bool
) -> Callable[..., Any]:
    """`call`, reached with the grant alone.

    Args:
        call: gets the execution and the decoded arguments.
        capability: what must be among the execution's providers.
        denied: the answer where it is not, from the capability's name; None for what is always there.
        counted: whether a call is charged to the budget of host calls.
    """

    def checked(execution: Execution, *arguments: Any) -> Any:
        execution.check_deadline()
        if counted:
            execution.budgets.charge_call()
        if denied is not None and capability not in execution.providers:
            execution.budgets.denied_calls += 1
            return denied(capability)
        return call(execution, *arguments)

    return checked
