"""The storage interface over the real SQLite store."""

import pytest

from oriel.errors import OrielError
from oriel.store import open_store
from oriel.store.errors import StoreUnavailable
from runner.execution import Services
from runner.host import storage


@pytest.fixture
def services(tmp_path):
    store = open_store(f"sqlite:{tmp_path / 'oriel.db'}")
    yield Services(store=store)
    store.close()


@pytest.fixture
def execution(make_execution, services):
    return make_execution(services)


def write(key="k", value=("text", "v"), when=("always", None), ttl=None):
    return {"key": key, "value": value, "when": when, "ttl_seconds": ttl}


def case(result):
    outcome, error = result
    assert outcome == "err"
    return error[0]


def test_what_was_put_is_got_with_its_revision(execution):
    assert storage.put(execution, write()) == ("ok", 1)
    assert storage.put(execution, write(value=("text", "w"))) == ("ok", 2)
    outcome, entry = storage.get(execution, "k")
    assert outcome == "ok"
    assert (entry["value"], entry["revision"], entry["expires_at"]) == (("text", "w"), 2, None)


def test_a_key_without_a_record_is_none(execution):
    assert storage.get(execution, "k") == ("ok", None)


@pytest.mark.parametrize(
    ("put", "got"),
    [
        (("text", "grüß"), ("text", "grüß")),
        (("text", ""), ("text", "")),
        (("bytes", b"\x00\xff"), ("bytes", b"\x00\xff")),
        (("base64", "AP8="), ("bytes", b"\x00\xff")),
        (("empty", None), ("empty", None)),
    ],
)
def test_a_body_keeps_its_form(execution, put, got):
    storage.put(execution, write(value=put))
    assert storage.get(execution, "k")[1]["value"] == got


def test_create_only_if_absent_can_be_said(execution):
    assert storage.put(execution, write(when=("absent", None))) == ("ok", 1)
    assert case(storage.put(execution, write(when=("absent", None)))) == "conflict"


def test_a_write_with_an_old_revision_conflicts(execution):
    storage.put(execution, write())
    assert storage.put(execution, write(when=("revision", 1))) == ("ok", 2)
    assert case(storage.put(execution, write(when=("revision", 1)))) == "conflict"
    assert case(storage.delete(execution, "k", ("revision", 1))) == "conflict"
    assert storage.delete(execution, "k", ("revision", 2)) == ("ok", True)
    assert storage.delete(execution, "k", ("always", None)) == ("ok", False)


def test_a_batch_is_all_or_nothing(execution):
    storage.put(execution, write("b"))
    assert case(storage.put_many(execution, [write("a"), write("b", when=("absent", None))])) == "conflict"
    assert storage.get(execution, "a") == ("ok", None)
    assert storage.put_many(execution, [write("a"), write("b")]) == ("ok", [1, 2])


def test_many_are_got_in_the_order_asked_for(execution):
    storage.put_many(execution, [write("a"), write("b")])
    outcome, entries = storage.get_many(execution, ["b", "missing", "a"])
    assert outcome == "ok"
    assert [entry["key"] for entry in entries] == ["b", "a"]


def test_a_listing_loses_and_doubles_nothing_over_its_pages(execution):
    keys = [f"item/{at:03}" for at in range(23)]
    storage.put_many(execution, [write(key) for key in keys])
    storage.put(execution, write("other"))
    seen, cursor = [], None
    while True:
        outcome, page = storage.list_(execution, "item/", cursor, 5)
        assert outcome == "ok"
        seen += [entry["key"] for entry in page["entries"]]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert seen == keys


def test_a_record_past_its_time_is_gone(execution, monkeypatch):
    storage.put(execution, write(ttl=60))
    assert storage.get(execution, "k")[1]["expires_at"] is not None
    monkeypatch.setattr(storage.time, "time", lambda: 1_000_000.0)  # written long ago
    storage.put(execution, write(ttl=60))
    monkeypatch.undo()
    assert storage.get(execution, "k") == ("ok", None)
    assert storage.list_(execution, "", None, 10)[1]["entries"] == []


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("", "invalid"),
        ("a\x00b", "invalid"),
        ("a\nb", "invalid"),
        ("a\x85b", "invalid"),
        ("ä" * 257, "limit-exceeded"),
    ],
)
def test_a_bad_key_is_refused_everywhere_by_its_place(execution, key, problem):
    assert case(storage.get(execution, key)) == problem
    assert case(storage.get_many(execution, ["good", key])) == problem
    assert case(storage.put(execution, write(key))) == problem
    assert case(storage.put_many(execution, [write("good"), write(key)])) == problem
    assert case(storage.delete(execution, key, ("always", None))) == problem
    assert storage.put_many(execution, [write("good"), write(key)])[1][1].startswith("writes[1].key: ")


def test_a_key_of_512_bytes_is_good(execution):
    assert storage.put(execution, write("ä" * 256)) == ("ok", 1)


def test_a_value_over_the_limit_is_refused_and_one_of_the_limit_kept(execution):
    assert case(storage.put(execution, write(value=("bytes", b"x" * 262_145)))) == "limit-exceeded"
    assert storage.put(execution, write(value=("bytes", b"x" * 262_144))) == ("ok", 1)


def test_a_value_of_broken_base64_is_refused(execution):
    assert case(storage.put(execution, write(value=("base64", "☃")))) == "invalid"


def test_batches_over_the_limit_are_refused(execution):
    assert case(storage.put_many(execution, [write(f"k{at}") for at in range(26)])) == "limit-exceeded"
    assert case(storage.get_many(execution, [f"k{at}" for at in range(101)])) == "limit-exceeded"


def test_one_key_twice_in_a_batch_is_refused(execution):
    assert case(storage.put_many(execution, [write("k"), write("k")])) == "invalid"


@pytest.mark.parametrize("limit", [0, 101, 4_294_967_295])
def test_a_page_has_1_to_100_records(execution, limit):
    assert case(storage.list_(execution, "", None, limit)) == "invalid"


@pytest.mark.parametrize("cursor", ["!!", "x" * 5_000, "\x00"])
def test_a_cursor_that_no_listing_gave_is_refused(execution, cursor):
    assert case(storage.list_(execution, "", cursor, 10)) == "invalid"


def test_no_time_to_live_of_zero(execution):
    assert case(storage.put(execution, write(ttl=0))) == "invalid"


def test_deleting_only_what_is_absent_is_refused(execution):
    assert case(storage.delete(execution, "k", ("absent", None))) == "invalid"


def test_records_of_another_tenant_or_install_are_out_of_reach(execution, make_execution, services):
    storage.put(execution, write())
    for other in ({"tenant_id": "evil"}, {"install_id": "ins_2"}):
        theirs = make_execution(services, context=other)
        assert storage.get(theirs, "k") == ("ok", None)
        assert storage.list_(theirs, "", None, 10)[1]["entries"] == []
        assert storage.delete(theirs, "k", ("always", None)) == ("ok", False)
    assert storage.get(execution, "k")[1]["revision"] == 1


def test_operations_are_charged_one_for_each_key(execution):
    storage.put_many(execution, [write("a"), write("b")])
    storage.get_many(execution, ["a", "b", "c"])
    storage.delete(execution, "a", ("always", None))
    assert (execution.budgets.kv_writes, execution.budgets.kv_reads) == (3, 3)


def test_spending_more_than_the_budget_ends_the_execution(make_execution, services):
    execution = make_execution(services, limits={"max_kv_operations": 1})
    storage.get(execution, "a")
    with pytest.raises(OrielError) as ended:
        storage.get(execution, "a")
    assert ended.value.code == "host_budget_exceeded"


def test_a_store_that_does_not_answer_is_unavailable_and_tells_nothing(make_execution):
    class Away:
        def guest_get(self, *_):
            raise StoreUnavailable("password=hunter2 at 10.0.0.1")

    assert storage.get(make_execution(Services(store=Away())), "k") == (
        "err",
        ("unavailable", "The store did not answer."),
    )
    assert case(storage.get(make_execution(), "k")) == "unavailable"
