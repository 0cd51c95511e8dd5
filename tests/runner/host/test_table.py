"""The table of host functions against the WIT package, and the one check of grants."""

import pytest

from oriel.capabilities import ALWAYS, BY_INTERFACE
from oriel.engine.inspect import offered_types
from oriel.errors import OrielError
from runner.host.table import TABLE, Row, _guarded, host_functions


def named(interface, name):
    return next(
        function.call
        for function in host_functions()
        if (function.interface, function.name) == (f"oriel:extension/{interface}@1.0.0", name)
    )


def test_every_function_of_the_wit_package_is_there_once_and_no_other():
    offered = {(interface, name) for interface, functions in offered_types().items() if interface for name in functions}
    listed = [(function.interface, function.name) for function in host_functions()]
    assert set(listed) == offered
    assert len(listed) == len(offered)


def test_what_needs_a_grant_has_a_denial_and_what_is_always_there_has_none():
    for row in TABLE:
        assert (row.denied is None) == (row.capability in ALWAYS), row


def test_a_row_that_could_be_called_without_its_grant_is_refused():
    with pytest.raises(ValueError, match="denial"):
        _guarded(Row("storage", "get", lambda _execution: None, denied=None))


@pytest.mark.parametrize("row", [row for row in TABLE if row.denied], ids=lambda row: f"{row.interface}.{row.name}")
def test_without_its_grant_no_function_is_reached(row, make_execution):
    everything_else = frozenset(capability.name for capability in BY_INTERFACE.values()) - {row.capability}
    execution = make_execution(providers=everything_else)
    outcome, (case, message) = named(row.interface, row.name)(execution)  # no argument is even looked at
    assert (outcome, case) == ("err", "denied")
    assert row.capability in message
    assert (execution.budgets.host_calls, execution.budgets.denied_calls) == (int(row.counted), 1)


@pytest.mark.parametrize("row", [row for row in TABLE if row.denied], ids=lambda row: f"{row.interface}.{row.name}")
def test_every_denial_is_a_case_of_the_functions_own_type(row):
    result = offered_types()[f"oriel:extension/{row.interface}@1.0.0"][row.name].result
    assert ("denied", "string") in [(name, str(payload)) for name, payload in result.err.cases]


def test_a_denied_call_is_charged_like_any_other(make_execution):
    execution = make_execution(limits={"max_host_calls": 1})
    get = named("user", "get")
    get(execution)
    with pytest.raises(OrielError) as ended:
        get(execution)
    assert ended.value.code == "host_budget_exceeded"


def test_logging_is_not_charged_to_the_host_calls(make_execution):
    execution = make_execution(limits={"max_host_calls": 0})
    for _ in range(5):
        named("log", "emit")(execution, "info", "line", [])
    assert execution.budgets.host_calls == 0


def test_no_host_call_begins_after_the_deadline(make_request):
    from runner.execution import Execution, Services

    late = Execution.begin(make_request(), Services(), started_at=-1_000_000.0)
    with pytest.raises(OrielError) as ended:
        named("context", "get")(late)
    assert ended.value.code == "deadline_exceeded"
