import os
import threading

import pytest

from runner.partition import Partition, divided


@pytest.mark.parametrize(
    ("cpus", "heavy", "parts"),
    [
        ([0, 1], 0, ([0, 1], [0, 1])),
        ([0, 1], 1, ([0], [1])),
        ([0, 1], 4, ([0], [1])),
        ([7], 2, ([7], [7])),
        ([2, 3, 5, 8], 2, ([2, 3], [5, 8])),
        ([2, 3, 5, 8], 9, ([2], [3, 5, 8])),
    ],
)
def test_heavy_threads_have_a_cpu_each_and_leave_one(cpus, heavy, parts):
    assert divided(cpus, heavy) == parts


class Light:
    """A thread of ordinary work, which tells the CPUs that it may use."""

    def __init__(self):
        self.native_id = 0
        self.started, self.over = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.work)

    def __enter__(self):
        self.thread.start()
        assert self.started.wait(10)
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def work(self):
        self.native_id = threading.get_native_id()
        self.started.set()
        assert self.over.wait(10)

    def cpus(self):
        return os.sched_getaffinity(self.native_id)


def test_threads_are_kept_apart_while_one_of_them_is_heavy_and_no_longer():
    everything = os.sched_getaffinity(0)
    others, heavy = map(set, divided(sorted(everything), 1))
    partition = Partition()
    with Light() as light:
        with partition.heavy():
            assert (os.sched_getaffinity(0), light.cpus()) == (heavy, others)
        assert os.sched_getaffinity(0) == light.cpus() == everything


def test_threads_go_everywhere_again_after_work_that_failed():
    everything = os.sched_getaffinity(0)
    partition = Partition()
    with Light() as light:
        with pytest.raises(ZeroDivisionError), partition.heavy():
            raise ZeroDivisionError
        assert os.sched_getaffinity(0) == light.cpus() == everything


def test_the_end_of_one_heavy_thread_does_not_free_another():
    partition = Partition()

    def heavy_too():
        with partition.heavy():
            pass

    with Light() as light, partition.heavy():
        apart = os.sched_getaffinity(0), light.cpus()
        thread = threading.Thread(target=heavy_too)
        thread.start()
        thread.join()
        assert (os.sched_getaffinity(0), light.cpus()) == apart
