"""Publishers, upload sessions and versions in DynamoDB."""

from oriel.store.dynamodb import table
from oriel.store.dynamodb.items import Item, to_item, to_record, to_value
from oriel.store.dynamodb.parts import Part
from oriel.store.dynamodb.requests import (
    ABSENT,
    PRESENT,
    Cancelled,
    Expression,
    check,
    delete,
    expression,
    put,
    update,
)
from oriel.store.dynamodb.table import Key
from oriel.store.errors import Conflict
from oriel.store.records import (
    AuditEntry,
    Bundle,
    Extension,
    Page,
    Publisher,
    PublisherKey,
    Upload,
    Version,
    VersionStatus,
)

PENDING = ("uploaded", "verified", "compiled")
KEPT_MS = 30 * 24 * 3600 * 1000


class DynamoPublishing(Part):
    """The part that publishing writes."""

    def put_publisher(self, publisher: Publisher, entry: AuditEntry | None = None) -> None:
        name = publisher.publisher
        listed = put(to_item(Key(table.PUBLISHERS, name), publisher))
        self._transact(put(to_item(table.publisher(name), publisher)), listed, entry=entry)

    def get_publisher(self, publisher: str) -> Publisher | None:
        return self._one(Publisher, table.publisher(publisher))

    def list_publishers(self, cursor: str | None = None, limit: int = 100) -> Page[Publisher]:
        return self._page(Publisher, table.PUBLISHERS, cursor, limit)

    def put_publisher_key(self, key: PublisherKey, entry: AuditEntry | None = None) -> None:
        item = to_item(table.publisher_key(key.publisher, key.key_id), key)
        try:
            self._transact(check(table.publisher(key.publisher), PRESENT), put(item), entry=entry)
        except Cancelled:
            raise Conflict(f"There is no publisher {key.publisher}.") from None

    def list_publisher_keys(self, publisher: str) -> tuple[PublisherKey, ...]:
        return self._all(PublisherKey, table.publisher(publisher).partition, table.KEYS_OF_A_PUBLISHER)

    def create_upload(self, upload: Upload) -> None:
        self._write_upload(upload, ABSENT, f"There is an upload {upload.upload_id} already.")

    def get_upload(self, upload_id: str) -> Upload | None:
        return self._kept(self._requests.get(table.upload(upload_id)))

    def find_upload(self, principal: str, content_hash: str) -> Upload | None:
        newest_first = self._requests.query(table.uploads_of(principal, content_hash), descending=True, page=1)
        return self._kept(next(newest_first, None))

    def replace_upload(self, upload: Upload) -> None:
        before = expression("#revision = :before", ["revision"], before=to_value(upload.revision - 1))
        self._write_upload(upload, before, f"The upload {upload.upload_id} has changed meanwhile.")

    def pending_uploads(self, limit: int = 100) -> tuple[Upload, ...]:
        items, _ = self._items(table.PENDING_UPLOADS, None, limit, descending=False)
        return tuple(to_record(Upload, item) for item in items)

    def create_version(
        self, extension: Extension, bundle: Bundle, version: Version, entry: AuditEntry | None = None
    ) -> None:
        name = version.extension_id
        unowned = expression("attribute_not_exists(pk) OR publisher = :owner", owner=to_value(extension.publisher))
        try:
            self._transact(
                check(table.publisher(extension.publisher), PRESENT),
                update(
                    Key(table.EXTENSIONS, name), *_where_new(to_item(Key(table.EXTENSIONS, name), extension), unowned)
                ),
                update(
                    table.bundle(bundle.content_hash), *_where_new(to_item(table.bundle(bundle.content_hash), bundle))
                ),
                put(to_item(table.version(name, version.version), version), ABSENT),
                entry=entry,
            )
        except Cancelled as cancelled:
            reasons = {
                0: f"There is no publisher {extension.publisher}.",
                1: f"The name {name} belongs to another publisher.",
                3: f"The version {name} {version.version} exists.",
            }
            raise Conflict(reasons[cancelled.failed[0]]) from None

    def set_version_status(
        self, extension_id: str, version: str, status: VersionStatus, entry: AuditEntry | None = None
    ) -> None:
        change = expression("SET #status = :status", ["status"], status=to_value(status))
        try:
            self._transact(update(table.version(extension_id, version), change, PRESENT), entry=entry)
        except Cancelled:
            return  # there is no such version, as in an UPDATE of no row

    def get_extension(self, extension_id: str) -> Extension | None:
        return self._one(Extension, Key(table.EXTENSIONS, extension_id))

    def list_extensions(self, cursor: str | None = None, limit: int = 100) -> Page[Extension]:
        return self._page(Extension, table.EXTENSIONS, cursor, limit)

    def get_version(self, extension_id: str, version: str) -> Version | None:
        return self._one(Version, table.version(extension_id, version))

    def list_versions(self, extension_id: str) -> tuple[Version, ...]:
        published = self._all(Version, table.versions(extension_id), table.VERSIONS)
        return tuple(sorted(published, key=lambda version: (version.created_at, version.version_id)))

    def get_bundle(self, content_hash: str) -> Bundle | None:
        return self._one(Bundle, table.bundle(content_hash))

    def _write_upload(self, upload: Upload, condition: Expression, otherwise: str) -> None:
        """The session, its place among those of its principal, and its place on the work list."""
        pending = upload.state in PENDING
        gone = None if pending else to_value((upload.updated_at + KEPT_MS) // 1000)
        of_principal = Key(table.uploads_of(upload.principal, upload.content_hash), upload.upload_id)
        waiting = Key(table.PENDING_UPLOADS, upload.upload_id)
        try:
            self._requests.transact(
                put(to_item(table.upload(upload.upload_id), upload, ttl=gone), condition),
                put(to_item(of_principal, upload, ttl=gone)),
                put(to_item(waiting, upload)) if pending else delete(waiting),
            )
        except Cancelled:
            raise Conflict(otherwise) from None

    def _kept(self, item: Item | None) -> Upload | None:
        """DynamoDB deletes late what has expired."""
        if item is None or (table.TTL in item and int(item[table.TTL]["N"]) * 1000 <= self._clock()):
            return None
        return to_record(Upload, item)


def _where_new(item: Item, condition: Expression | None = None) -> tuple[Expression, Expression | None]:
    """The change that writes `item` where there is none and leaves what is there, and its condition."""
    names = [name for name in item if name not in {table.PARTITION, table.SORT}]
    text = ", ".join(f"#{name} = if_not_exists(#{name}, :{name})" for name in names)
    return expression(f"SET {text}", names, **{name: item[name] for name in names}), condition
