"""Executions kept whole: by install, for a set time, gone with the install."""

from msgspec.structs import fields

from oriel.store.records import FixtureLine, StoredFixture
from tests.store.factory import T0, install


def fixture(number=1, tenant_id="t1", **changes):
    record = {
        "install_id": install(tenant_id).install_id,
        "execution_id": f"exe_{number}",
        "extension_id": "com.acme.notes",
        "version": "1.0.0",
        "content_hash": "sha256:aa",
        "reason": "asked",
        "created_at": T0,
        "expires_at": T0 + 1_000,
        "key_id": "key_1",
        "nonce": b"n",
        "ciphertext": b"\x00sealed",
    }
    return StoredFixture(tenant_id=tenant_id, **(record | changes))


def line(stored):
    return FixtureLine(**{field.name: getattr(stored, field.name) for field in fields(FixtureLine)})


def test_a_fixture_comes_back_and_is_its_installs_alone(store):
    store.put_fixture(fixture())
    store.put_fixture(fixture())
    own = install().install_id
    assert store.get_fixture("t1", own, "exe_1") == fixture()
    assert store.list_fixtures("t1", own).items == (line(fixture()),)
    assert store.get_fixture("t2", own, "exe_1") is None
    assert store.get_fixture("t1", "ins_other", "exe_1") is None
    assert store.list_fixtures("t2", own).items == ()


def test_fixtures_are_listed_newest_first_page_by_page(store):
    for number in range(5):
        store.put_fixture(fixture(number))
    own = install().install_id
    first = store.list_fixtures("t1", own, limit=3)
    rest = store.list_fixtures("t1", own, first.cursor, 3)
    assert [item.execution_id for item in (*first.items, *rest.items)] == [f"exe_{n}" for n in (4, 3, 2, 1, 0)]
    assert rest.cursor is None


def test_an_expired_fixture_is_not_there(store, clock):
    store.put_fixture(fixture())
    clock.now = T0 + 1_000
    own = install().install_id
    assert (store.get_fixture("t1", own, "exe_1"), store.list_fixtures("t1", own).items) == (None, ())


def test_a_fixture_goes_with_its_install(published):
    for tenant in ("t1", "t2"):
        published.create_install(install(tenant))
        published.put_fixture(fixture(tenant_id=tenant))
    published.delete_install("t1", "com.acme.notes")
    assert published.get_fixture("t1", install().install_id, "exe_1") is None
    assert published.list_fixtures("t1", install().install_id).items == ()
    assert published.get_fixture("t2", install("t2").install_id, "exe_1") is not None
