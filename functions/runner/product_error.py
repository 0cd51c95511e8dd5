"""How a call to the host product fails. Apart from `runner.product`, whose client most processes never need."""

from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

MAX_INPUT_BYTES: Final = 1_000_000
MAX_DETAIL: Final = 500  # characters of what the product says

Case: TypeAlias = Literal["denied", "unknown-operation", "invalid-input", "unavailable", "timeout", "host-error"]


class ProductError(Exception):
    """A call that has no answer. `status` is the product's, 0 where it gave none; `problem` its problem object."""

    def __init__(self, case: Case, detail: str, status: int = 0, problem: Mapping[str, Any] | None = None) -> None:
        self.case, self.detail, self.status = case, detail, status
        self.problem: Mapping[str, Any] = problem or {}
        super().__init__(f"{case}: {detail}")

    @property
    def code(self) -> str:
        """The product's own code; empty where it gave none."""
        code = self.problem.get("code", "")
        return code[:MAX_DETAIL] if isinstance(code, str) else ""
