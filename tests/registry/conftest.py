import pytest

from tests.registry.stage import Stage


@pytest.fixture
def stage(tmp_path):
    stage = Stage(tmp_path)
    stage.add_publisher()
    yield stage
    stage.close()
