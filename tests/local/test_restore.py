"""Backup and restore as docs/guides/operator.md says: one machine by its folder, PostgreSQL by its own programs.

After it, what was published answers, what guests kept and what was sealed is there, and the audit's chains are whole.
"""

import re
import shlex
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest

from oriel.local import LocalPlatform
from oriel.settings import Settings
from oriel.store import open_store
from tests.guests import hostile
from tests.support.platform import client, publish_and_install, register_acme
from tests.support.postgres import APPLICATION, binaries, create_migrated, shared_server

GUIDE = Path(__file__).parents[2] / "docs/guides/operator.md"
NAME = "com.acme.keeps"
ASKED = [{"name": name, "purpose": "To remember."} for name in ("storage.kv", "secrets.get")]


def commands(program):
    """The guide's command lines that begin with `program`, as it has them."""
    return re.findall(rf"^{program} .+$", GUIDE.read_text(), re.MULTILINE)


@contextmanager
def running(folder, **settings):
    local = {"port": 0, "ui_port": 0, "runner_workers": 1, "log_level": "error"}
    with LocalPlatform(Settings.load(data_dir=folder, **local, **settings)) as platform:
        yield platform


def fill(platform):
    """An extension that has kept a record; the install's id."""
    register_acme(platform)
    grants = [{"capability": name["name"]} for name in ASKED]
    publish_and_install(platform, hostile.puts(b"key"), name=NAME, capabilities=ASKED, grants=grants)
    with client(platform) as admin:
        admin.api("PUT", f"/installs/{NAME}/secrets/API_KEY", json={"value": "sk_live_1"})
        assert admin.call(NAME, "/").status_code == 200
        return admin.api("GET", f"/installs/{NAME}")["install_id"]


def assert_whole(platform, install_id, store_url):
    with client(platform) as admin:
        assert admin.call(NAME, "/").status_code == 200
        assert [secret["name"] for secret in admin.api("GET", f"/installs/{NAME}/secrets")["items"]] == ["API_KEY"]
        chains = admin.api("POST", "/audit/chains/verify")["items"]
    assert {chain["tenant_id"] for chain in chains} == {None, "northwind"}
    assert [chain for chain in chains if not chain["intact"]] == []
    store = open_store(store_url)
    try:
        (record,) = store.guest_get("northwind", install_id, ["key"])
        assert record.revision == 2  # once before the backup, once after it
        (secret,) = store.list_secrets("northwind", install_id)
        assert platform.keyring.by_id(secret.key_id) is not None
    finally:
        store.close()


def test_one_machines_folder_comes_back_from_the_archive_that_the_guide_makes(tmp_path):
    (pack,) = commands("tar")
    folder, archive = tmp_path / "lib" / "oriel", tmp_path / "oriel-backup.tgz"
    with running(folder) as platform:
        install_id = fill(platform)
    with_own = {"/var/lib": str(tmp_path / "lib"), "oriel-backup.tgz": str(archive)}
    subprocess.run([with_own.get(word, word) for word in shlex.split(pack)], check=True)
    shutil.rmtree(folder)
    subprocess.run(["tar", "-xpzf", archive, "-C", tmp_path / "lib"], check=True)
    assert not (folder / "cache").exists()
    with running(folder) as platform:
        assert_whole(platform, install_id, f"sqlite:{folder / 'oriel.db'}")


@pytest.fixture
def database():
    name = create_migrated(shared_server())
    yield name
    shared_server().execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def test_a_database_comes_back_from_the_dump_that_the_guide_makes(tmp_path, database):
    dump, restore = commands("pg_dump"), commands("pg_restore")
    assert len(dump) == len(restore) == 1
    url = shared_server().url(database, APPLICATION)
    with running(tmp_path / "oriel", store=url) as platform:
        install_id = fill(platform)
    with_own = {"oriel.dump": str(tmp_path / "oriel.dump"), "$ADMIN_URL": shared_server().url(database)}
    run([with_own.get(word, word) for word in shlex.split(dump[0])])
    shared_server().execute(f"DROP DATABASE {database} WITH (FORCE)")
    shared_server().execute(f"CREATE DATABASE {database} OWNER oriel_owner TEMPLATE template0")
    run([with_own.get(word, word) for word in shlex.split(restore[0])])
    with running(tmp_path / "oriel", store=url) as platform:
        assert_whole(platform, install_id, url)


def run(command):
    subprocess.run([binaries() / command[0], *command[1:]], check=True, capture_output=True)
