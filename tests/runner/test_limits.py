import pytest

from oriel.contract import Limits
from oriel.errors import OrielError
from runner.limits import Budgets


def test_host_calls_up_to_the_limit_pass_and_the_next_ends_the_execution():
    budgets = Budgets(Limits(max_host_calls=2))
    budgets.charge_call()
    budgets.charge_call()
    with pytest.raises(OrielError) as ended:
        budgets.charge_call()
    assert ended.value.code == "host_budget_exceeded"


def test_key_value_operations_count_one_for_each_key():
    budgets = Budgets(Limits(max_kv_operations=10))
    budgets.charge_kv(reads=6)
    with pytest.raises(OrielError, match="10 key-value operations"):
        budgets.charge_kv(writes=5)
    assert (budgets.kv_reads, budgets.kv_writes) == (6, 5)


def test_key_value_traffic_is_bounded_in_bytes():
    budgets = Budgets(Limits(max_kv_bytes=100))
    budgets.charge_kv(size=100)
    with pytest.raises(OrielError, match="key-value traffic"):
        budgets.charge_kv(size=1)


def test_egress_traffic_is_bounded_in_bytes():
    budgets = Budgets(Limits(max_egress_bytes=100))
    budgets.charge_egress(60)
    with pytest.raises(OrielError, match="egress"):
        budgets.charge_egress(60)


def test_log_lines_past_the_allowance_are_counted_and_no_error():
    budgets = Budgets(Limits(max_log_lines=2, max_log_bytes=100))
    assert budgets.charge_log(60)
    assert not budgets.charge_log(60)
    assert budgets.charge_log(40)
    assert not budgets.charge_log(0)
    assert (budgets.log_lines, budgets.log_bytes, budgets.log_dropped) == (2, 100, 2)
