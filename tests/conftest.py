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

# How long an example takes says something of the machine, and nothing of what is tested.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

haste.hasten()


class Together(LoadScopeScheduling):
    """Tests go one by one to the process that is free, those that belong together as one; the most come first."""

    def _split_scope(self, nodeid: str) -> str:
        return next((group for start, group in TOGETHER.items() if nodeid.startswith(start)), nodeid)


def pytest_xdist_make_scheduler(config, log):
    return Together(config, log)
