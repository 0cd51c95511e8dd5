"""The user in front of the screen. Needs `user.read`."""

from dataclasses import dataclass

from oriel_guest._host import call, interface
from oriel_guest.errors import Unavailable

_wit = interface("user", "user.read")


@dataclass(frozen=True, slots=True)
class User:
    id: str
    name: str | None
    email: str | None
    roles: tuple[str, ...]

    @property
    def label(self) -> str:
        """What to call the user on a screen."""
        return self.name or self.email or self.id


def get() -> User | None:
    """The user; None where no user stands behind this execution: an event, a schedule, a machine."""
    try:
        info = call(_wit.get)
    except Unavailable:
        return None
    return User(info.id, info.name, info.email, tuple(info.roles))
