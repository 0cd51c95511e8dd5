"""`scheduler` of `alga:extension`: this platform has no schedules that an extension can change.

Every function answers the failure that its type has, so that a component that can do without goes on.
"""

from typing import Any

from runner.execution import Execution

REASON = "This platform has no schedules that an extension can change."


def unavailable(_execution: Execution, *_arguments: Any) -> Any:
    return ("err", "internal")


def not_created(_execution: Execution, _input: Any) -> dict[str, Any]:
    return {"success": False, "schedule_id": None, "error": REASON, "field_errors": None}


def not_updated(_execution: Execution, _id: str, _input: Any) -> dict[str, Any]:
    return {"success": False, "error": REASON, "field_errors": None}


def not_deleted(_execution: Execution, _id: str) -> dict[str, Any]:
    return {"success": False, "error": REASON}
