import pytest

from tests.support.browser import chromium, page, profile, tab
from tests.web.stage import raised_stage

__all__ = ["chromium", "page", "profile", "raised", "stage", "tab"]


@pytest.fixture(scope="session")
def raised(tmp_path_factory):
    with raised_stage(tmp_path_factory.mktemp("stage")) as stage:
        yield stage


@pytest.fixture
def stage(raised):
    """The servers are shared; what they remember is not."""
    raised.calls.clear()
    return raised
