"""What a store raises, whatever its backend is."""

from oriel.errors import OrielError


class Conflict(OrielError):
    """The record is there already, or has changed since it was read."""

    def __init__(self, detail: str) -> None:
        super().__init__("conflict", detail)


class StoreUnavailable(OrielError):
    """The backend did not answer."""

    def __init__(self, detail: str = "The registry's store did not answer.") -> None:
        super().__init__("unavailable", detail, retry_after=1)


class UnknownTables(StoreUnavailable):
    """The database's tables are not of this version of Oriel, nor of an earlier one."""
