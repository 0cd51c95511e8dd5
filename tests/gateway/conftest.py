import pytest

from tests.support.gateway import Bench


@pytest.fixture
def make_bench():
    made = []

    def make(*resolutions, **settings):
        made.append(Bench(*resolutions, **settings))
        return made[-1]

    yield make
    for bench in made:
        bench.gateway.close()


@pytest.fixture
def bench(make_bench):
    return make_bench()
