"""A thousand executions, good and hostile in turns. `python -m benchmarks soak` has twenty thousand."""

from benchmarks.soak import State, soak
from tests.guests import hostile

MILLION_HEADERS = hostile.many_headers(1_000_000)


def test_a_thousand_executions_leave_no_memory_no_thread_and_no_descriptor():
    executions, before, after = soak(1_000)
    assert executions >= 1_000
    assert after.threads <= before.threads  # one of another test may end meanwhile
    assert after.descriptors <= before.descriptors
    assert after.resident < 1.1 * before.resident


def test_the_memory_that_a_million_headers_took_is_given_back(execute, victims):
    before = State.now(victims.cache).resident
    for _ in range(2):
        assert execute(MILLION_HEADERS).error.code == "output_too_large"
    assert State.now(victims.cache).resident - before < 150_000_000
