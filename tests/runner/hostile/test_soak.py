"""A thousand executions, good and hostile in turns. `python -m benchmarks soak` has twenty thousand."""

from benchmarks.soak import soak


def test_a_thousand_executions_leave_no_memory_no_thread_and_no_descriptor():
    executions, before, after = soak(1_000)
    assert executions >= 1_000
    assert (after.threads, after.descriptors) == (before.threads, before.descriptors)
    assert after.resident < 1.1 * before.resident
