"""The examples, published to one host."""

from collections.abc import Callable, Iterator

import pytest

from tests.support.examples import EXAMPLES, Host, Installed


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    made = Host(tmp_path_factory.mktemp("examples"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def approvals(host: Host) -> Callable[..., Installed]:
    """Makes installs of `examples/approvals`; takes `config` and `withheld`."""
    return host.publish(EXAMPLES / "approvals")


@pytest.fixture(scope="session")
def pulse(host: Host) -> Callable[..., Installed]:
    """Makes installs of `examples/pulse`; takes `config` and `withheld`."""
    return host.publish(EXAMPLES / "pulse")


@pytest.fixture(scope="session")
def beacon(host: Host) -> Callable[..., Installed]:
    """Makes installs of `examples/beacon`; takes `config` and `withheld`."""
    return host.publish(EXAMPLES / "beacon")
