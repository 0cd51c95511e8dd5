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


def migrate_store(url: str, application_role: str = "") -> tuple[str | None, str]:
    """Bring the tables of an SQL store to what this version of Oriel needs; the revisions before and after.

    Args:
        application_role: a role of PostgreSQL that may then read and write the tables.

    Raises:
        InvalidInput: `invalid_input`, where the store has no tables, or no roles for `application_role`.
        StoreUnavailable: the database does not answer, or has tables that this version of Oriel does not know.
    """
    scheme, _, rest = url.partition(":")
    if scheme not in {"sqlite", "postgresql"} or not rest or (application_role and scheme != "postgresql"):
        what = f"roles for {application_role}" if application_role else "migrations"
        finding = Finding(SETTING, f"{without_password(url)!r} has no {what}.")
        raise InvalidInput("invalid_input", [finding], subject="The environment")
    from oriel.store.sql import schema
    from oriel.store.sql.postgresql import postgresql_engine, require_answer
    from oriel.store.sql.sqlite import sqlite_engine

    engine = sqlite_engine(Path(rest)) if scheme == "sqlite" else postgresql_engine(url)
    try:
        if scheme == "postgresql":
            require_answer(engine)
        return schema.migrate(engine, application_role), schema.HEAD
    finally:
        engine.dispose()


def without_password(url: str) -> str:
    """A store's URL to show to people."""
    return re.sub(r"(//[^/?#:@]*):[^/?#]*@", r"\1:***@", url)


def _sqlite(rest: str) -> Store:
    from oriel.store.sql import SqlStore

    return SqlStore.sqlite(Path(rest))


def _postgresql(rest: str) -> Store:
    from oriel.store.sql import SqlStore

    return SqlStore.postgresql(f"postgresql:{rest}")


def _dynamodb(rest: str) -> Store:
    from oriel.store.dynamodb import DynamoStore

    return DynamoStore.at(Target.parse(rest, setting=SETTING, form=_BACKENDS["dynamodb"][0]))


_BACKENDS: Mapping[str, tuple[str, Callable[[str], Store]]] = {
    "sqlite": ("sqlite:PATH", _sqlite),
    "postgresql": ("postgresql://USER:PASSWORD@HOST/DATABASE", _postgresql),
    "dynamodb": ("dynamodb:TABLE[?region=…&endpoint=…]", _dynamodb),
}
