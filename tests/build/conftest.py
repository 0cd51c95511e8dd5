"""The guest library for Python is importable as in a component; probes of both languages are published to one host."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from oriel.build.python import GUEST
from tests.support.examples import Host, Installed

PROBES = Path(__file__).parent / "probes"

sys.path.insert(0, str(GUEST))


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    made = Host(tmp_path_factory.mktemp("probes"))
    yield made
    made.close()


@pytest.fixture(scope="session", params=["python", "javascript"])
def probe(host: Host, request: pytest.FixtureRequest) -> Callable[..., Installed]:
    """Makes installs of a probe in each language."""
    return host.publish(PROBES / request.param)
