"""`oriel:extension/user`: the user in front of the screen, as far as the verified token tells."""

from typing import Literal, TypeAlias, TypedDict

from runner.execution import Execution


class Info(TypedDict):
    id: str
    name: str | None
    email: str | None
    roles: list[str]


NotAvailable: TypeAlias = tuple[Literal["err"], tuple[Literal["not-available"], str]]


def get(execution: Execution) -> tuple[Literal["ok"], Info] | NotAvailable:
    user = execution.user
    if user is None:
        return ("err", ("not-available", f"No user stands behind this {execution.context.trigger} execution."))
    info: Info = {"id": user.id, "name": user.name, "email": user.email, "roles": list(user.roles)}
    return ("ok", info)
