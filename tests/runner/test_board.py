import os

import pytest

from runner.board import Board


@pytest.fixture
def shared():
    """A worker's board and the supervisor's view of the same memory."""
    descriptor = Board.create(2)
    boards = Board(descriptor), Board(descriptor)
    os.close(descriptor)
    yield boards
    for board in boards:
        board.close()


def test_what_the_worker_is_busy_with_is_seen_from_outside(shared, make_request):
    worker, supervisor = shared
    assert supervisor.entries() == ()
    with worker.inside(make_request().context):
        (inside,) = supervisor.entries()
        assert (inside.execution_id, inside.extension_id) == ("exe_1", "com.acme.reports")
    assert supervisor.entries() == ()


def test_readiness_is_seen_from_outside(shared):
    worker, supervisor = shared
    assert not supervisor.ready
    worker.mark_ready()
    assert supervisor.ready


def test_a_failed_execution_leaves_the_board(shared, make_request):
    worker, supervisor = shared
    with pytest.raises(RuntimeError), worker.inside(make_request().context):
        raise RuntimeError
    assert supervisor.entries() == ()


def test_long_ids_do_not_reach_a_neighbours_slot(shared, make_request):
    worker, supervisor = shared
    with (
        worker.inside(make_request(context={"execution_id": "x" * 5_000}).context),
        worker.inside(make_request().context),
    ):
        assert [inside.execution_id for inside in supervisor.entries()] == ["exe_1"]
