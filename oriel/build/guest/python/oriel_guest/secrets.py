"""Secrets that the tenant's administrator has set for this install. Needs `secrets.get`."""

from oriel_guest._host import call, interface

_wit = interface("secrets", "secrets.get")


def get(name: str) -> str | None:
    """The value; None where no secret has that name. `ReferenceOnly` where it may not be read."""
    value: str | None = call(_wit.get, name)
    return value


def names() -> list[str]:
    """The names there are, ordered."""
    found: list[str] = call(_wit.names)
    return found


def reference(name: str) -> str:
    """What to write in an outgoing header so that the host fills the secret in: the guest never sees it."""
    return f"{{{{secret:{name}}}}}"
