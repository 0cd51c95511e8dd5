import pytest

from tests.support.platform import running


@pytest.fixture(scope="package")
def platform(tmp_path_factory):
    with running(tmp_path_factory.mktemp("platform"), max_body_bytes=100_000, cache_seconds=0.5) as up:
        yield up
