"""`oriel:extension/secrets`: what the tenant's administrator has set for this install.

Rules kept here: nothing is opened before it is asked for; a secret that is for reference only never reaches the
guest; what cannot be opened is `unavailable`, and says nothing of why.
"""

from typing import Literal, TypeAlias

from oriel.errors import OrielError
from runner.execution import Execution

Failure: TypeAlias = tuple[Literal["err"], tuple[Literal["reference-only", "unavailable"], str]]


def get(execution: Execution, name: str) -> tuple[Literal["ok"], str | None] | Failure:
    if execution.secrets.hosts(name) is None:
        return ("ok", None)
    if not execution.secrets.may_be_read(name):
        return ("err", ("reference-only", f"Write {{{{secret:{name}}}}} in an outgoing header; it cannot be read."))
    try:
        return ("ok", execution.secrets.value(name))
    except OrielError as error:
        return ("err", ("unavailable", error.detail))


def names(execution: Execution) -> tuple[Literal["ok"], list[str]]:
    return ("ok", execution.secrets.names())
