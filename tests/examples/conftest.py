"""One runner for all examples; every install has a tenant and an id of its own, so that no test sees another's data."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from runner.core import Runner
from tests.runner.platform import Platform, digest
from tests.support.examples import Built, Installed, built


@pytest.fixture(scope="session")
def example_platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Platform, Runner]]:
    platform = Platform(tmp_path_factory.mktemp("examples"))
    yield platform, platform.runner()
    platform.close()


def _install(platform: Platform, runner: Runner, example: Built) -> Callable[..., Installed]:
    manifest = example.manifest
    content_hash = platform.store(
        digest(example.component), example.native, extension_id=manifest.name, version=manifest.version
    )

    def install(**options: Any) -> Installed:
        return Installed(runner, manifest, content_hash, **options)

    return install


@pytest.fixture(scope="session")
def approvals(example_platform: tuple[Platform, Runner]) -> Callable[..., Installed]:
    """Makes installs of `examples/approvals`; takes `config` and `withheld`."""
    return _install(*example_platform, built("approvals"))


@pytest.fixture(scope="session")
def pulse(example_platform: tuple[Platform, Runner]) -> Callable[..., Installed]:
    """Makes installs of `examples/pulse`; takes `config` and `withheld`."""
    return _install(*example_platform, built("pulse"))
