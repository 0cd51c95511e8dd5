"""Publishers, uploads, versions, installs, secrets, executions, usage."""

import pytest
from msgspec.structs import replace

from oriel.store import Conflict
from oriel.store.records import Execution, ExecutionFilter, Grant, StoredSecret
from tests.store.factory import T0, install, key, publisher, upload, version

NOTES = ExecutionFilter(extension_id="com.acme.notes")


def secret(name="token", tenant_id="t1", **fields):
    record = {"install_id": f"ins_{tenant_id}_com.acme.notes", "key_id": "k", "nonce": b"\0n", "ciphertext": b"\xffc"}
    return StoredSecret(tenant_id=tenant_id, name=name, hosts=("a.example",), updated_at=T0, **(record | fields))


def execution(execution_id="exe_1", tenant_id="t1", **fields):
    record = {
        "request_id": "req_1",
        "extension_id": "com.acme.notes",
        "install_id": "ins_1",
        "version": "1.0.0",
        "content_hash": "sha256:aa",
        "trigger": "http",
        "method": "GET",
        "path": "/notes",
        "status": 200,
        "error_code": None,
        "started_at": T0,
        "receipt": {"duration_ms": 2.5, "cpu_ms": 1.5, "peak_memory_bytes": 2_000_000, "egress_bytes": 7},
        "logs": ({"level": "info", "message": "é"},),
    }
    return Execution(tenant_id=tenant_id, execution_id=execution_id, **(record | fields))


def test_every_record_comes_back_as_it_was_put(published):
    grants = (Grant(capability="http.fetch", hosts=("a.example",), granted_by="ann", granted_at=T0, expires_at=T0 + 9),)
    stored = install(grants=grants, config={"deep": [{"é": 1.5}], "none": None})
    session = upload(findings=(("invalid_manifest", "a.b", "is wrong"),), state="rejected")
    published.create_install(stored)
    published.put_secret(secret(reference_only=True))
    published.create_upload(session)
    published.record_executions([execution()])
    assert published.get_install("t1", "com.acme.notes") == stored
    assert published.list_secrets("t1", stored.install_id) == (secret(reference_only=True),)
    assert published.get_upload("upl_1") == session
    assert published.get_execution("t1", "exe_1") == execution(recorded_at=T0)
    assert published.get_publisher("acme") == publisher()
    assert published.list_publisher_keys("acme") == (key(),)
    assert published.get_version("com.acme.notes", "1.0.0") == version("1.0.0")[2]
    assert published.get_extension("com.acme.notes") == version()[0]
    assert published.get_bundle(version()[1].content_hash) == version()[1]


@pytest.mark.parametrize(
    "odd", ["\x00", "\x01", "\x00\x01", "\x01\x01", "é", "e\u0301", "\U0001f600", "'", "%", "a" * 300]
)
def test_text_of_any_characters_is_stored_looked_up_and_taken_for_no_other(store, odd):
    store.create_upload(upload(f"upl_{odd}", principal=odd, findings=(("code", odd, odd),)))
    store.create_upload(upload("upl_other", principal="other"))
    assert store.get_upload(f"upl_{odd}").findings == (("code", odd, odd),)
    assert store.find_upload(odd, "sha256:aa").upload_id == f"upl_{odd}"
    for near in (odd + "\x00", odd + "\x01", "\x00" + odd, odd + " "):
        assert store.get_upload(f"upl_{near}") is store.find_upload(near, "sha256:aa") is None
        assert store.resolve(near, near) is store.get_execution("t1", near) is None


def test_what_an_extension_logs_does_not_decide_whether_it_can_be_logged(store):
    logs = ({"message": "\x00 \ud800 \U0001f600", "n": 0.1, "b": 10**15, "a": None},)
    store.record_executions([execution(path="/\x00", logs=logs)])
    stored = store.get_execution("t1", "exe_1")
    assert (stored.path, stored.logs, list(stored.logs[0])) == ("/\x00", logs, list(logs[0]))


def test_what_is_not_there_is_none_or_an_empty_page(store):
    assert store.get_publisher("x") is store.get_upload("x") is store.get_extension("x") is None
    assert store.get_version("x", "1") is store.get_bundle("x") is store.get_install("t", "x") is None
    assert store.get_execution("t", "x") is store.resolve("t", "x") is store.find_upload("x", "y") is None
    assert store.list_installs("t").items == store.list_executions("t").items == store.list_extensions().items == ()
    assert store.delete_install("t", "x") is store.get_audit_head("t") is store.get_rollout("x", "1") is None
    assert store.delete_secret("t", "i", "n") is False


def test_a_publisher_and_its_key_are_replaced_when_put_again(published):
    published.put_publisher(publisher(revoked_at=T0 + 1))
    published.put_publisher_key(key(revoked_at=T0 + 1))
    assert published.get_publisher("acme").revoked_at == T0 + 1
    assert published.list_publisher_keys("acme") == (key(revoked_at=T0 + 1),)


def test_a_key_for_nobody_is_refused(store):
    with pytest.raises(Conflict, match="nobody"):
        store.put_publisher_key(key("nobody"))


def test_listings_of_publishers_extensions_and_installs_go_page_by_page(store):
    names = ["b", "B", "a-b", "ab", "é"]
    for name in names:
        store.put_publisher(publisher(name))
        store.create_version(*version(extension_id=f"com.{name}", owner=name))
        store.create_install(install(extension_id=f"com.{name}"))

    def walk(listing, name):
        found, cursor = [], None
        while True:
            page = listing(cursor=cursor, limit=2)
            found += [getattr(record, name) for record in page.items]
            cursor = page.cursor
            if cursor is None:
                return found

    assert walk(store.list_publishers, "publisher") == sorted(names)
    assert walk(store.list_extensions, "extension_id") == sorted(f"com.{name}" for name in names)
    assert walk(lambda **page: store.list_installs("t1", **page), "extension_id") == sorted(f"com.{n}" for n in names)


def test_a_session_is_replaced_only_from_the_revision_before(store):
    store.create_upload(upload())
    store.replace_upload(upload(state="uploaded", revision=2))
    with pytest.raises(Conflict):
        store.replace_upload(upload(state="rejected", revision=2))
    with pytest.raises(Conflict):
        store.replace_upload(upload("upl_none", revision=2))
    with pytest.raises(Conflict):
        store.create_upload(upload())
    assert store.get_upload("upl_1").state == "uploaded"


def test_the_newest_session_of_the_same_principal_and_bytes_is_found(store):
    for number, (principal, content_hash) in enumerate([("ann", "aa"), ("ann", "aa"), ("bob", "aa"), ("ann", "bb")]):
        store.create_upload(upload(f"upl_{number}", principal=principal, content_hash=content_hash))
    assert store.find_upload("ann", "aa").upload_id == "upl_1"
    assert store.find_upload("eve", "aa") is None


def test_the_work_list_holds_what_is_between_upload_and_end_oldest_first(store):
    for number, state in enumerate(["compiled", "open", "ready", "uploaded", "rejected", "verified"]):
        store.create_upload(upload(f"upl_{number}", state=state))
    assert [pending.upload_id for pending in store.pending_uploads()] == ["upl_0", "upl_3", "upl_5"]
    assert len(store.pending_uploads(limit=2)) == 2


def test_a_version_is_written_once(published):
    with pytest.raises(Conflict, match="exists"):
        published.create_version(*version("1.0.0", content_hash="sha256:other", version_id="ver_other"))
    assert published.get_version("com.acme.notes", "1.0.0").content_hash == "sha256:com.acme.notes-1.0.0"
    assert published.get_bundle("sha256:other") is None


def test_a_name_belongs_to_its_first_publisher(published):
    published.put_publisher(publisher("evil"))
    with pytest.raises(Conflict, match="another publisher"):
        published.create_version(*version("2.0.0", owner="evil"))
    assert published.get_version("com.acme.notes", "2.0.0") is None


def test_a_version_of_an_unknown_publisher_is_refused(store):
    with pytest.raises(Conflict, match="no publisher"):
        store.create_version(*version())
    assert store.list_extensions().items == ()


def test_versions_are_listed_oldest_first(published):
    published.create_version(*version("0.9.0", created_at=T0 + 2))
    assert [item.version for item in published.list_versions("com.acme.notes")] == ["1.0.0", "1.1.0", "0.9.0"]


def test_only_the_status_of_a_version_changes(published):
    before = published.get_version("com.acme.notes", "1.0.0")
    published.set_version_status("com.acme.notes", "1.0.0", "yanked")
    assert published.get_version("com.acme.notes", "1.0.0") == replace(before, status="yanked")
    assert published.get_version("com.acme.notes", "1.1.0").status == "ready"


def test_an_extension_is_installed_once_for_a_tenant(published):
    published.create_install(install())
    published.create_install(install("t2"))
    with pytest.raises(Conflict):
        published.create_install(install(install_id="ins_other"))


def test_an_install_of_a_version_that_is_not_there_is_refused(published):
    with pytest.raises(Conflict):
        published.create_install(install(version="9.9.9"))


def test_of_two_changes_to_one_install_the_second_is_told(published):
    published.create_install(install())
    published.replace_install(install(status="disabled", revision=2))
    with pytest.raises(Conflict):
        published.replace_install(install(status="enabled", revision=2))
    assert published.get_install("t1", "com.acme.notes").status == "disabled"


def test_uninstalling_takes_secrets_and_guest_records_and_leaves_the_version(published):
    from oriel.store.guests import GuestWrite

    for tenant in ("t1", "t2"):
        published.create_install(install(tenant))
        published.put_secret(secret(tenant_id=tenant))
        published.guest_put(tenant, install(tenant).install_id, [GuestWrite(key="a", value=b"", text=False)])
    assert published.delete_install("t1", "com.acme.notes") is not None
    assert published.list_secrets("t1", install().install_id) == ()
    assert published.guest_get("t1", install().install_id, ["a"]) == ()
    assert published.list_secrets("t2", install("t2").install_id) == (secret(tenant_id="t2"),)
    assert len(published.guest_get("t2", install("t2").install_id, ["a"])) == 1
    assert published.get_version("com.acme.notes", "1.0.0") is not None


def test_a_secret_without_an_install_is_refused(published):
    with pytest.raises(Conflict):
        published.put_secret(secret())


def test_a_secret_is_replaced_and_deleted_by_its_name(published):
    published.create_install(install())
    published.put_secret(secret())
    published.put_secret(secret(ciphertext=b"new"))
    assert [item.ciphertext for item in published.list_secrets("t1", install().install_id)] == [b"new"]
    assert published.delete_secret("t1", install().install_id, "token") is True
    assert published.list_secrets("t1", install().install_id) == ()


def test_resolve_gives_install_version_and_secrets_at_once(published):
    published.create_install(install(version="1.1.0"))
    published.put_secret(secret("b"))
    published.put_secret(secret("a"))
    found = published.resolve("t1", "com.acme.notes")
    assert (found.install, found.version) == (
        install(version="1.1.0"),
        published.get_version("com.acme.notes", "1.1.0"),
    )
    assert [item.name for item in found.secrets] == ["a", "b"]
    assert (found.publisher_revoked, found.signer_revoked) == (False, False)
    assert published.resolve("t2", "com.acme.notes") is None


def test_resolve_tells_that_the_signers_key_was_revoked(published):
    published.create_install(install())
    published.put_publisher_key(key(key_id="sha256:other", revoked_at=T0))
    assert published.resolve("t1", "com.acme.notes").signer_revoked is False
    published.put_publisher_key(key(revoked_at=T0))
    assert published.resolve("t1", "com.acme.notes").signer_revoked is True


def test_resolve_tells_that_the_publisher_was_revoked(published):
    published.create_install(install())
    published.put_publisher(publisher(revoked_at=T0))
    assert published.resolve("t1", "com.acme.notes").publisher_revoked is True


def test_an_execution_written_twice_counts_once(store):
    store.record_executions([execution(), execution(), execution("exe_2")])
    store.record_executions([execution("exe_2"), execution("exe_3", error_code="guest_trap", status=502)])
    store.record_executions([])
    (usage,) = store.list_usage("t1", "2000-01-01", "2999-12-31")
    assert (usage.invocations, usage.failures, usage.duration_ms, usage.cpu_ms) == (3, 1, 7.5, 4.5)
    assert (usage.memory_mb_ms, usage.egress_bytes) == (15.0, 21)


def test_usage_is_summed_by_day_extension_and_version_of_each_tenant(store):
    day = 86_400_000
    store.record_executions(
        [
            execution("exe_1"),
            execution("exe_2", started_at=T0 + day),
            execution("exe_3", version="2.0.0"),
            execution("exe_4", extension_id="com.acme.other"),
            execution("exe_1", tenant_id="t2"),
        ]
    )
    sums = [
        (item.window, item.extension_id, item.version) for item in store.list_usage("t1", "2026-11-18", "2026-11-19")
    ]
    assert sums == [
        ("2026-11-18", "com.acme.notes", "1.0.0"),
        ("2026-11-18", "com.acme.notes", "2.0.0"),
        ("2026-11-18", "com.acme.other", "1.0.0"),
        ("2026-11-19", "com.acme.notes", "1.0.0"),
    ]
    assert [item.window for item in store.list_usage("t1", "2026-11-19", "2026-11-19")] == ["2026-11-19"]
    assert [item.invocations for item in store.list_usage("t2", "2026-11-18", "2026-11-18")] == [1]


def test_executions_are_listed_newest_first_page_by_page(store):
    store.record_executions([execution(f"exe_{number}") for number in range(5)])
    store.record_executions([execution("exe_9", extension_id="com.acme.other"), execution("exe_8", tenant_id="t2")])
    first = store.list_executions("t1", NOTES, limit=3)
    rest = store.list_executions("t1", NOTES, first.cursor, 3)
    assert [item.execution_id for item in (*first.items, *rest.items)] == [f"exe_{n}" for n in (4, 3, 2, 1, 0)]
    assert rest.cursor is None
    assert store.list_executions("t1").items[0].execution_id == "exe_9"
    assert store.get_execution("t1", "exe_8") is None
