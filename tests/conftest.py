"""What holds for every test."""

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from tests.support import haste
from tests.support.collector import collector

__all__ = ["collector"]

# Each of these shares what takes long to build or to start: one process has it once for all of them.
TOGETHER = {
    "tests/build/": "builds",
    "tests/cli/": "cli",
    "tests/deployment/": "deployment",
    "tests/examples/": "examples",
    "tests/local/": "local",
    "tests/runner/alga/test_drop_in.py": "alga",
    "tests/runner/wasi/test_fetch.py": "examples",
    "tests/web/": "browser",
}

pytest.register_assert_rewrite("tests.suites")  # what several folders collect, each on its own platform

# How long an example takes says something of the machine, and nothing of what is tested. The examples are the same at
# each run, so that a change is judged by what it does; `--hypothesis-profile=search` looks for others.
settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("repeat", settings.get_profile("search"), derandomize=True)
settings.load_profile("repeat")

haste.hasten()


class Together(LoadScopeScheduling):
    """Tests go one by one to the process that is free, those that belong together as one; the most come first."""

    def _split_scope(self, nodeid: str) -> str:
        return next((group for start, group in TOGETHER.items() if nodeid.startswith(start)), nodeid)


def pytest_xdist_make_scheduler(config, log):
    return Together(config, log)
