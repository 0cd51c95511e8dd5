"""Publishers, upload sessions and versions in SQL."""

from sqlalchemy import Connection, exc, insert, select, update

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
from oriel.store.sql import tables
from oriel.store.sql.database import Database, to_row
from oriel.store.sql.row_security import NOBODY

PENDING = ("uploaded", "verified", "compiled")


class SqlPublishing(Database):
    """The part that publishing writes."""

    def put_publisher(self, publisher: Publisher, entry: AuditEntry | None = None) -> None:
        self._put(tables.publisher, publisher, f"The publisher {publisher.publisher} cannot be written.", entry)

    def get_publisher(self, publisher: str) -> Publisher | None:
        return self._one(Publisher, select(tables.publisher).where(tables.publisher.c.publisher == publisher))

    def list_publishers(self, cursor: str | None = None, limit: int = 100) -> Page[Publisher]:
        return self._page(Publisher, select(tables.publisher), tables.publisher.c.publisher, cursor, limit)

    def put_publisher_key(self, key: PublisherKey, entry: AuditEntry | None = None) -> None:
        self._put(tables.publisher_key, key, f"There is no publisher {key.publisher}.", entry)

    def list_publisher_keys(self, publisher: str) -> tuple[PublisherKey, ...]:
        table = tables.publisher_key
        return self._all(PublisherKey, select(table).where(table.c.publisher == publisher).order_by(table.c.key_id))

    def create_upload(self, upload: Upload) -> None:
        self._create(tables.upload_session, upload, f"There is an upload {upload.upload_id} already.")

    def get_upload(self, upload_id: str) -> Upload | None:
        table = tables.upload_session
        return self._one(Upload, select(table).where(table.c.upload_id == upload_id))

    def find_upload(self, principal: str, content_hash: str) -> Upload | None:
        table = tables.upload_session
        own = select(table).where(table.c.principal == principal, table.c.content_hash == content_hash)
        return self._one(Upload, own.order_by(table.c.upload_id.desc()).limit(1))

    def replace_upload(self, upload: Upload) -> None:
        self._replace(tables.upload_session, upload, f"The upload {upload.upload_id} has changed meanwhile.")

    def pending_uploads(self, limit: int = 100) -> tuple[Upload, ...]:
        table = tables.upload_session
        return self._all(
            Upload, select(table).where(table.c.state.in_(PENDING)).order_by(table.c.upload_id).limit(limit)
        )

    def create_version(
        self, extension: Extension, bundle: Bundle, version: Version, entry: AuditEntry | None = None
    ) -> None:
        taken = f"The version {version.extension_id} {version.version} exists."

        def create(connection: Connection) -> None:
            self._require_owner(connection, extension)
            new_bundle = self._upsert(tables.extension_bundle).values(to_row(bundle))
            connection.execute(new_bundle.on_conflict_do_nothing())
            connection.execute(insert(tables.extension_version).values(to_row(version)))

        try:
            self._write(NOBODY, create, entry)
        except exc.IntegrityError:
            raise Conflict(taken) from None

    def _require_owner(self, connection: Connection, extension: Extension) -> None:
        """Write the extension where it is new; `Conflict` where it is another publisher's or there is no publisher."""
        table = tables.extension_registry
        known = select(tables.publisher.c.publisher).where(tables.publisher.c.publisher == extension.publisher)
        if connection.execute(known).one_or_none() is None:
            raise Conflict(f"There is no publisher {extension.publisher}.")
        connection.execute(self._upsert(table).values(to_row(extension)).on_conflict_do_nothing())
        owner = select(table.c.publisher).where(table.c.extension_id == extension.extension_id)
        if connection.execute(owner).scalar_one() != extension.publisher:
            raise Conflict(f"The name {extension.extension_id} belongs to another publisher.")

    def set_version_status(
        self, extension_id: str, version: str, status: VersionStatus, entry: AuditEntry | None = None
    ) -> None:
        table = tables.extension_version
        one = update(table).where(table.c.extension_id == extension_id, table.c.version == version)
        self._write(NOBODY, lambda connection: connection.execute(one.values(status=status)).rowcount > 0, entry)

    def get_extension(self, extension_id: str) -> Extension | None:
        table = tables.extension_registry
        return self._one(Extension, select(table).where(table.c.extension_id == extension_id))

    def list_extensions(self, cursor: str | None = None, limit: int = 100) -> Page[Extension]:
        table = tables.extension_registry
        return self._page(Extension, select(table), table.c.extension_id, cursor, limit)

    def get_version(self, extension_id: str, version: str) -> Version | None:
        table = tables.extension_version
        return self._one(Version, select(table).where(table.c.extension_id == extension_id, table.c.version == version))

    def list_versions(self, extension_id: str) -> tuple[Version, ...]:
        table = tables.extension_version
        published = select(table).where(table.c.extension_id == extension_id)
        return self._all(Version, published.order_by(table.c.created_at, table.c.version_id))

    def get_bundle(self, content_hash: str) -> Bundle | None:
        table = tables.extension_bundle
        return self._one(Bundle, select(table).where(table.c.content_hash == content_hash))
