"""What holds for every test."""

import pytest

BUILDERS = ("tests/build/", "tests/examples/")


def pytest_collection_modifyitems(items):
    """Tests that build extensions run in one process: what one has built, the next one finds."""
    for item in items:
        if item.nodeid.startswith(BUILDERS):
            item.add_marker(pytest.mark.xdist_group("builds"))
