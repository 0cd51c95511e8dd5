"""Row-level security in PostgreSQL: whose rows a transaction may see and write.

Rules kept here:

- A transaction says once, at its beginning, whose rows it is about. What it says ends with it, so that a connection
  in a pool, or behind a proxy, carries nothing to the next.
- Who says nothing sees nothing of any tenant, and writes nothing.
- Work that is no tenant's own has a name, and a policy as narrow as the work:
  `purge` sees records that expire, of all tenants, and can only delete them;
  `dispatch` sees the queue of work, which holds ids and times, and can only say when an item is due;
  `platform` sees and writes the API keys that belong to no tenant, and is for the rest as `audit`;
  `reseal` sees the sealed secrets of all tenants, which open nothing, and changes none;
  `billing` sees the usage of all tenants, and changes none;
  `audit` sees and adds the platform's own audit entries, and no tenant's;
  `heads` sees the ends of all chains of the audit, which are numbers and digests;
  `follow` sees installs that follow a range, and `delete` those that are to be deleted; each is then written as its
  tenant's own.
- An audit entry can be added and read. No policy lets anybody change or delete one.
- Policies are forced: they hold for the tables' owner too. The store refuses a role that may bypass them.

In SQLite there is none of this; there the statements' own conditions are all there is.
"""

from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, func, select

from oriel.store.sql.types import Name

NO_TENANT = ""


class Scope(NamedTuple):
    """One tenant's rows, those of a named work, or nobody's."""

    tenant_id: str = NO_TENANT
    work: str = ""

    @classmethod
    def of(cls, record: Any) -> "Scope":
        """The tenant of a record; nobody where it is no tenant's."""
        return cls(getattr(record, "tenant_id", NO_TENANT))


NOBODY = Scope()
PURGE = Scope(work="purge")
AUDIT = Scope(work="audit")
DISPATCH = Scope(work="dispatch")
PLATFORM = Scope(work="platform")
RESEAL = Scope(work="reseal")
BILLING = Scope(work="billing")
FOLLOW = Scope(work="follow")
DELETE = Scope(work="delete")
HEADS = Scope(work="heads")

_ENTER = select(
    func.set_config("oriel.tenant_id", bindparam("tenant_id", type_=Name), True),
    func.set_config("oriel.work", bindparam("work", type_=Name), True),
    func.set_config("statement_timeout", bindparam("timeout", type_=Name), True),
    func.set_config("idle_in_transaction_session_timeout", bindparam("timeout", type_=Name), True),
)


def enter(connection: Connection, scope: Scope, timeout_ms: int) -> None:
    """Say whose rows the transaction is about and how long a statement, or a pause between two, may take."""
    connection.execute(_ENTER, {"tenant_id": scope.tenant_id, "work": scope.work, "timeout": str(timeout_ms)})
