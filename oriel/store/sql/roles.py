"""Roles of PostgreSQL, and what each may do with which table.

| role of | reads | writes |
|---|---|---|
| the registry | everything | everything |
| the gateway | all but what guests keep | what happens: executions, usage, rates, events, schedules |
| the runner | guests' records, schedules, the queue of work | the same, and events |

Row-level security (`oriel.store.sql.row_security`) says whose rows; this says which tables. The registry decides what
is published, installed and granted: neither the gateway nor the runner can write that, whatever gets hold of them.

A migration grants all of it anew, so that a new table is nobody's but the registry's before it is named here.
"""

from collections.abc import Iterator, Mapping

from msgspec import Struct
from sqlalchemy import Connection, func, select, text

from oriel.store.sql.tables import METADATA

REVISIONS = "alembic_version"
_ALL = "SELECT, INSERT, UPDATE, DELETE"
_GUESTS = "guest_record"

_REGISTRY: Mapping[str, str] = dict.fromkeys(METADATA.tables, _ALL)
_GATEWAY: Mapping[str, str] = {
    **{name: "SELECT" for name in METADATA.tables if name != _GUESTS},
    "due_work": _ALL,
    "event": "SELECT, INSERT",
    "event_delivery": "SELECT, INSERT, UPDATE",
    "event_rate": "SELECT, INSERT, UPDATE",
    "execution_fixture": _ALL,
    "extension_execution_log": "SELECT, INSERT",
    "extension_quota_usage": "SELECT, INSERT, UPDATE",
    "extension_usage_minute": "SELECT, INSERT, UPDATE",
    "rate_lease": _ALL,
    "repeated_request": _ALL,
    "extension_event_subscription": _ALL,  # as it follows from what was decided
    "schedule": _ALL,
    "schedule_run": "SELECT, INSERT, UPDATE",
}
_RUNNER: Mapping[str, str] = {
    _GUESTS: _ALL,
    "due_work": _ALL,
    "event": "SELECT, INSERT",
    "event_rate": "SELECT, INSERT, UPDATE",
    "schedule": _ALL,
    "schedule_run": "SELECT, INSERT",
}


class Roles(Struct, frozen=True):
    """The names of roles that are there already; where one is empty, nobody is given its rights."""

    registry: str = ""
    gateway: str = ""
    runner: str = ""

    def rights(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Each role with its privileges by table."""
        for name, rights in ((self.registry, _REGISTRY), (self.gateway, _GATEWAY), (self.runner, _RUNNER)):
            if name:
                yield name, rights


IN_AWS = Roles("oriel_registry", "oriel_gateway", "oriel_runner")
"""As `template.yaml` names them."""


def create_for_iam(connection: Connection, roles: Roles) -> None:
    """Make the roles that are missing, and let IAM say who may be them (RDS's own role `rds_iam`)."""
    quote = connection.dialect.identifier_preparer.quote_identifier
    for name, _ in roles.rights():
        found = connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": name}).first()
        if found is None:
            connection.execute(text(f"CREATE ROLE {quote(name)} LOGIN"))
        connection.execute(text(f"GRANT rds_iam TO {quote(name)}"))


def grant(connection: Connection, roles: Roles) -> None:
    """Give each role its rights in the current schema, and take away every other one that it has there."""
    quote = connection.dialect.identifier_preparer.quote_identifier
    schema = quote(connection.execute(select(func.current_schema())).scalar_one())
    for name, rights in roles.rights():
        role = quote(name)
        connection.execute(text(f"GRANT USAGE ON SCHEMA {schema} TO {role}"))
        connection.execute(text(f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}"))
        connection.execute(text(f"GRANT SELECT ON {schema}.{REVISIONS} TO {role}"))
        for privileges in sorted(set(rights.values())):
            tables = ", ".join(f"{schema}.{quote(table)}" for table, given in rights.items() if given == privileges)
            connection.execute(text(f"GRANT {privileges} ON {tables} TO {role}"))
