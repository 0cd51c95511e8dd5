import pytest

from tests.support.aws_platform import AwsPlatform
from tests.support.platform import register_acme


def pytest_collection_modifyitems(items):
    """One process builds the functions and runs them all."""
    for item in items:
        if "tests/deployment/" in item.nodeid:
            item.add_marker(pytest.mark.xdist_group("deployment"))


@pytest.fixture(scope="package")
def platform(tmp_path_factory):
    with AwsPlatform(tmp_path_factory.mktemp("aws"), ORIEL_CACHE_SECONDS="0.5") as up:
        register_acme(up)
        yield up
