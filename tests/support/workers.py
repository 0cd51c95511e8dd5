"""The workers of a running platform, as a test that ends them needs them."""

import os
import signal

from tests.support.waiting import eventually


def busy_with(platform, *extensions):
    """A worker that runs all of these extensions now; None where there is none."""
    for worker in list(platform._workers._workers.values()):
        if set(extensions) <= {inside.extension_id for inside in worker.board.entries()}:
            return worker
    return None


def kill(platform, worker):
    """End a worker and wait until its end is noticed; the ids of the executions that were inside at that moment."""
    os.kill(worker.process.pid, signal.SIGSTOP)  # nothing comes or goes between reading the board and the end
    inside = {entry.execution_id for entry in worker.board.entries()}
    os.kill(worker.process.pid, signal.SIGKILL)
    eventually(lambda: worker not in platform._workers._workers.values())
    return inside


def kill_while_running(platform, *extensions):
    """End the next worker that runs these extensions."""
    return kill(platform, eventually(lambda: busy_with(platform, *extensions)))
