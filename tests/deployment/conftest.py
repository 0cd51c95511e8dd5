import pytest

from tests.support.aws_platform import AwsPlatform
from tests.support.platform import register_acme


@pytest.fixture(scope="package")
def platform(tmp_path_factory):
    with AwsPlatform(tmp_path_factory.mktemp("aws"), ORIEL_CACHE_SECONDS="0.5") as up:
        register_acme(up)
        yield up
