"""The migrations are the one truth about the tables, and say the same as the metadata."""

import threading
from contextlib import contextmanager

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import BigInteger, Column, MetaData, Table, event, inspect

from oriel.cli import run
from oriel.store import StoreUnavailable, open_store
from oriel.store.sql.postgresql import postgresql_engine
from oriel.store.sql.roles import Roles
from oriel.store.sql.schema import HEAD, current_revision, migrate
from oriel.store.sql.sqlite import sqlite_engine
from oriel.store.sql.tables import METADATA
from tests.store.factory import publisher
from tests.support.postgres import APPLICATION, OWNER, empty_database, shared_server


@contextmanager
def empty_sqlite(folder):
    yield sqlite_engine(folder / "oriel.db")


@contextmanager
def empty_postgresql(_folder):
    with empty_database() as name:
        yield postgresql_engine(shared_server().url(name, OWNER))


@pytest.fixture(params=[empty_sqlite, empty_postgresql])
def engine(request, tmp_path):
    """An empty database, as whoever owns it."""
    with request.param(tmp_path) as engine:
        yield engine
        engine.dispose()


def differences(engine, metadata=METADATA):
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return compare_metadata(context, metadata)


def tables(engine):
    with engine.connect() as connection:
        return set(inspect(connection).get_table_names())


def store_url(engine):
    if engine.dialect.name == "sqlite":
        return f"sqlite:{engine.url.database}"
    return shared_server().url(engine.url.database, OWNER)


def test_the_migrations_make_the_tables_of_the_metadata(engine):
    migrate(engine)
    assert differences(engine) == []
    assert tables(engine) == {*METADATA.tables, "alembic_version"}


def test_a_column_that_no_migration_makes_is_found(engine):
    migrate(engine)
    changed = MetaData()
    for table in METADATA.sorted_tables:
        table.to_metadata(changed)
    Table("publisher", changed, Column("colour", BigInteger), extend_existing=True)
    assert [kind for kind, *_ in differences(engine, changed)] == ["add_column"]


def test_there_is_one_line_of_migrations_and_its_end_is_what_the_store_needs():
    config = Config()
    config.set_main_option("script_location", "oriel.store.sql:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_text_is_ordered_by_its_bytes_whatever_the_databases_collation():
    with empty_database() as name:
        engine = postgresql_engine(shared_server().url(name, OWNER))
        migrate(engine)
        engine.dispose()
        with shared_server().connect(name) as connection:
            others = connection.execute(
                "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
                " AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'"
            ).fetchall()
    assert others == []


def test_migrating_again_changes_nothing(engine):
    assert [migrate(engine), migrate(engine)] == [None, HEAD]
    assert current_revision(engine) == HEAD


def test_a_migration_that_fails_leaves_nothing_behind(engine):
    def fail(_connection, _cursor, statement, *_rest):
        if "CREATE TABLE audit_entry" in statement:
            raise RuntimeError("the power went out")

    event.listen(engine, "before_cursor_execute", fail)
    with pytest.raises(RuntimeError):
        migrate(engine)
    event.remove(engine, "before_cursor_execute", fail)
    assert tables(engine) == set()
    assert migrate(engine) is None


def test_of_many_that_migrate_at_once_one_does_and_the_others_wait(engine):
    found, barrier = [], threading.Barrier(4)

    def start():
        barrier.wait()
        found.append(migrate(engine))

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found, key=str) == [HEAD, HEAD, HEAD, None]


def test_a_database_of_a_later_version_of_oriel_is_not_opened_and_not_touched(engine):
    migrate(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("COMMENT ON TABLE alembic_version IS '0002'")
    with pytest.raises(StoreUnavailable, match="9999"):
        open_store(store_url(engine))
    with pytest.raises(StoreUnavailable, match="9999"):
        migrate(engine)
    assert current_revision(engine) == "9999"


def test_tables_of_a_later_version_that_say_so_are_worked_on():
    with empty_postgresql(None) as engine:
        migrate(engine, Roles(APPLICATION))
        with engine.begin() as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0002'")
        store = open_store(shared_server().url(engine.url.database, APPLICATION))
        store.put_publisher(publisher())
        store.close()
        engine.dispose()


def test_a_database_with_tables_of_somebody_else_is_not_touched(engine):
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE theirs (id INTEGER)")
    with pytest.raises(StoreUnavailable, match="somebody else"):
        migrate(engine)
    assert tables(engine) == {"theirs"}


def test_a_postgresql_database_is_migrated_by_the_command_and_not_by_opening_it(monkeypatch, capsys):
    with empty_database() as name:
        url = {role: shared_server().url(name, role) for role in (OWNER, APPLICATION)}
        with pytest.raises(StoreUnavailable, match="oriel store migrate"):
            open_store(url[APPLICATION])
        monkeypatch.setenv("ORIEL_STORE", url[OWNER])
        assert run(["store", "migrate", "--application-role", APPLICATION]) == 0
        assert HEAD in capsys.readouterr().out
        store = open_store(url[APPLICATION])
        store.put_publisher(publisher())
        store.close()


def test_the_command_migrates_sqlite_too_and_says_when_there_is_nothing_to_do(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("ORIEL_STORE", f"sqlite:{tmp_path}/oriel.db")
    assert run(["store", "migrate"]) == 0
    assert run(["store", "migrate", "--json"]) == 0
    assert f'"before": "{HEAD}"' in capsys.readouterr().out


def test_the_command_refuses_a_store_that_has_no_migrations(monkeypatch, capsys):
    monkeypatch.setenv("ORIEL_STORE", "dynamodb:oriel")
    assert run(["store", "migrate"]) == 1
    assert "ORIEL_STORE" in capsys.readouterr().err
