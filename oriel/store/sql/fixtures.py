"""Executions kept whole, in SQL."""

from sqlalchemy import and_, select

from oriel.store.records import FixtureLine, Page, StoredFixture
from oriel.store.sql.database import Database
from oriel.store.sql.row_security import Scope
from oriel.store.sql.tables import execution_fixture as table

_LINE = [column for column in table.columns if column.name not in {"key_id", "nonce", "ciphertext"}]


class SqlFixtures(Database):
    """Fixtures by install."""

    def put_fixture(self, fixture: StoredFixture) -> None:
        self._put(table, fixture, f"There is no install {fixture.install_id}.")

    def get_fixture(self, tenant_id: str, install_id: str, execution_id: str) -> StoredFixture | None:
        one = and_(
            table.c.tenant_id == tenant_id,
            table.c.install_id == install_id,
            table.c.execution_id == execution_id,
            table.c.expires_at > self._clock(),
        )
        return self._one(StoredFixture, select(table).where(one), Scope(tenant_id))

    def list_fixtures(
        self, tenant_id: str, install_id: str, cursor: str | None = None, limit: int = 50
    ) -> Page[FixtureLine]:
        own = select(*_LINE).where(
            table.c.tenant_id == tenant_id, table.c.install_id == install_id, table.c.expires_at > self._clock()
        )
        key = table.c.execution_id
        return self._page(FixtureLine, own, key, cursor, limit, scope=Scope(tenant_id), descending=True)
