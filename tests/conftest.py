"""What holds for every test."""

import pytest
from hypothesis import HealthCheck, settings

from tests.support import haste

# Each of these shares what takes long to build or to start: one process has it once for all of them.
TOGETHER = {
    "tests/build/": "builds",
    "tests/deployment/": "deployment",
    "tests/examples/": "examples",
    "tests/runner/alga/test_drop_in.py": "alga",
    "tests/runner/wasi/test_fetch.py": "examples",
    "tests/web/": "browser",
}

# How long an example takes says something of the machine, and nothing of what is tested.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

haste.hasten()


@pytest.hookimpl(tryfirst=True)  # before xdist reads the marks
def pytest_collection_modifyitems(items):
    for item in items:
        for start, group in TOGETHER.items():
            if item.nodeid.startswith(start):
                item.add_marker(pytest.mark.xdist_group(group))
