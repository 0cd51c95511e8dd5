"""The table of `alga:extension` against the interface, and its grants."""

import pytest

from oriel.capabilities import CAPABILITIES
from oriel.engine.alga import PREFIX, alga_types
from oriel.engine.types import Enum, ListOf, Record, Result
from runner.alga.table import ALWAYS_THERE, TABLE, Row, _guarded, host_functions
from runner.execution import Services
from runner.host import storage as native
from tests.guests.alga import small
from tests.runner.small_platform import EXTENSION

FACTS = {
    "context": "context.read",
    "secrets": "secrets.get",
    "http": "http.fetch",
    "storage": "storage.kv",
    "logging": "log.emit",
    "ui-proxy": "ui.proxy",
    "user": "user.read",
    "user-v2": "user.read",
    "scheduler": "schedule.manage",
    "invoicing": "invoice.manual.create",
    "clients": "client.read",
    "services": "service.read",
}
DENIABLE = [row for row in TABLE if row.denied]


def type_of(row):
    return alga_types()[PREFIX + row.interface][row.name]


def test_every_function_of_the_interface_is_there_once_and_no_other():
    offered = {(interface, name) for interface, functions in alga_types().items() if interface for name in functions}
    listed = [(function.interface, function.name) for function in host_functions()]
    assert set(listed) == offered
    assert len(listed) == len(offered)


def test_each_interface_has_its_capability_and_consent_knows_it():
    assert {row.interface: row.capability for row in TABLE} == FACTS
    assert set(FACTS.values()) <= set(CAPABILITIES)


def test_what_is_always_there_is_context_log_and_user():
    assert {"context.read", "log.emit", "user.read"} == ALWAYS_THERE
    for row in TABLE:
        assert (row.denied is None) == (row.capability in ALWAYS_THERE), row


def test_a_row_that_could_be_called_without_its_grant_is_refused():
    with pytest.raises(ValueError, match="denial"):
        _guarded(Row("storage", "get", "storage.kv", lambda _execution: None))


@pytest.mark.parametrize("row", DENIABLE, ids=lambda row: f"{row.interface}.{row.name}")
def test_without_its_grant_no_function_is_reached(row, make_execution):
    everything_else = frozenset(FACTS.values()) - {row.capability}
    execution = make_execution(providers=everything_else)
    assert _guarded(row)(execution) == row.denied(row.capability)  # no argument is even looked at
    assert execution.budgets.denied_calls == 1


@pytest.mark.parametrize("row", DENIABLE, ids=lambda row: f"{row.interface}.{row.name}")
def test_every_denial_is_of_the_functions_own_type(row):
    denial = row.denied(row.capability)
    match type_of(row).result:
        case Result(_, Enum(names)):
            assert denial[0] == "err"
            assert denial[1] in names
        case ListOf():
            assert denial == []
        case Record(fields):
            assert set(denial) == {name.replace("-", "_") for name, _ in fields}
            assert denial["success"] is False


def test_keys_never_meet_those_of_oriels_own_storage(platform, make_execution):
    from oriel.store import open_store
    from runner.alga import storage

    store = open_store(platform.store_url)
    execution = make_execution(Services(store=store), providers=["storage.kv"])
    storage.put(execution, {"namespace": "a", "key": "b", "value": b"alga", "revision": None})
    key = storage._key("a", "b")
    assert native.get(execution, key)[1][0] == "invalid"
    for key in ("b", "a/b", "ab"):
        native.put(execution, {"key": key, "value": ("text", "own"), "when": ("always", None), "ttl_seconds": None})
    assert storage.get(execution, "a", "b")[1]["value"] == b"alga"
    assert [entry["key"] for entry in storage.list_entries(execution, "a", None)[1]] == ["b"]
    store.close()


def test_an_older_component_that_imports_a_part_of_it_runs(platform, make_request):
    wasm = small("storage.get", "secrets.list-keys", "http.fetch")
    content_hash = platform.publish(wasm, handler="alga")
    runner = platform.runner()
    answer = runner.execute(make_request(context={"content_hash": content_hash, "extension_id": EXTENSION}))
    assert (answer.error, answer.status) == (None, 204)
    assert [line.message for line in answer.logs] == ["hello"]
