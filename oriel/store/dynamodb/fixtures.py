"""Executions kept whole, in DynamoDB: a line to list and the fixture itself, written together."""

from itertools import islice

from msgspec.structs import fields

from oriel.store.cursors import encode_cursor
from oriel.store.dynamodb import table
from oriel.store.dynamodb.items import to_item, to_record, to_value
from oriel.store.dynamodb.parts import Part, position
from oriel.store.dynamodb.requests import expression, put
from oriel.store.dynamodb.table import Key
from oriel.store.records import FixtureLine, Page, StoredFixture


class DynamoFixtures(Part):
    """Fixtures by install."""

    def put_fixture(self, fixture: StoredFixture) -> None:
        own, late = (fixture.tenant_id, fixture.install_id), table.ttl(fixture.expires_at)
        line = FixtureLine(**{field.name: getattr(fixture, field.name) for field in fields(FixtureLine)})
        self._requests.transact(
            put(to_item(Key(table.sealed_fixtures(*own), fixture.execution_id), fixture, ttl=late)),
            put(to_item(Key(table.fixtures(*own), fixture.execution_id), line, ttl=late)),
        )

    def get_fixture(self, tenant_id: str, install_id: str, execution_id: str) -> StoredFixture | None:
        found = self._one(StoredFixture, Key(table.sealed_fixtures(tenant_id, install_id), execution_id))
        return found if found is not None and found.expires_at > self._clock() else None

    def list_fixtures(
        self, tenant_id: str, install_id: str, cursor: str | None = None, limit: int = 50
    ) -> Page[FixtureLine]:
        found = self._requests.query(
            table.fixtures(tenant_id, install_id),
            after=None if cursor is None else position(cursor),
            descending=True,
            page=limit + 1,
            only=expression("expires_at > :now", now=to_value(self._clock())),
        )
        items = list(islice(found, limit + 1))
        lines = tuple(to_record(FixtureLine, item) for item in items[:limit])
        return Page(items=lines, cursor=encode_cursor(lines[-1].execution_id.encode()) if len(items) > limit else None)
