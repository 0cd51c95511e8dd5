"""The store that a URL names."""

from pathlib import Path

from oriel.errors import Finding, InvalidInput
from oriel.store.base import Store

SCHEMES = "sqlite:PATH"


def open_store(url: str) -> Store:
    """Open the store at `url` (`sqlite:PATH`), and make it where there is none.

    Raises:
        InvalidInput: `invalid_input`, where no backend has this scheme.
        StoreUnavailable: the backend does not answer.
    """
    scheme, _, rest = url.partition(":")
    if scheme != "sqlite" or not rest:
        finding = Finding("ORIEL_STORE", f"{url!r} is not a store; give {SCHEMES}.")
        raise InvalidInput("invalid_input", [finding], subject="The environment")
    from oriel.store.sql import SqlStore  # SQLAlchemy is loaded by those who use it

    return SqlStore.sqlite(Path(rest))
