"""The store that a URL names. A backend's library is loaded by those who use it."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from oriel.aws import Target
from oriel.errors import Finding, InvalidInput
from oriel.store.base import Store

SETTING = "ORIEL_STORE"


def open_store(url: str) -> Store:
    """Open the store at `url`. A database in a file is made where there is none, the tables of others are not.

    Raises:
        InvalidInput: `invalid_input`, where no backend has this scheme.
        StoreUnavailable: the backend does not answer.
    """
    scheme, _, rest = url.partition(":")
    form, opener = _BACKENDS.get(scheme, ("", None))
    if opener is None or not rest:
        forms = " or ".join(form for form, _ in _BACKENDS.values())
        finding = Finding(SETTING, f"{without_password(url)!r} is not a store; give {form or forms}.")
        raise InvalidInput("invalid_input", [finding], subject="The environment")
    return opener(rest)


def without_password(url: str) -> str:
    """A store's URL to show to people."""
    return re.sub(r"(//[^/?#:@]*):[^/?#]*@", r"\1:***@", url)


def _sqlite(rest: str) -> Store:
    from oriel.store.sql import SqlStore

    return SqlStore.sqlite(Path(rest))


def _postgresql(rest: str) -> Store:
    from oriel.store.sql import SqlStore

    return SqlStore.postgresql(f"postgresql:{rest}")


def _rds(rest: str) -> Store:
    from oriel.store.sql import SqlStore
    from oriel.store.sql.rds import RdsTarget

    return SqlStore.rds(RdsTarget.parse(rest, setting=SETTING))


def _dynamodb(rest: str) -> Store:
    from oriel.store.dynamodb import DynamoStore

    return DynamoStore.at(Target.parse(rest, setting=SETTING, form=_BACKENDS["dynamodb"][0]))


_BACKENDS: Mapping[str, tuple[str, Callable[[str], Store]]] = {
    "sqlite": ("sqlite:PATH", _sqlite),
    "postgresql": ("postgresql://USER:PASSWORD@HOST/DATABASE", _postgresql),
    "rds": ("rds:HOST[:PORT]/DATABASE?user=USER[&region=…&roots=PATH]", _rds),
    "dynamodb": ("dynamodb:TABLE[?region=…&endpoint=…]", _dynamodb),
}
