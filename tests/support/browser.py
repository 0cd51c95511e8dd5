"""A real Chromium for tests. It is never skipped: without it, what the tests claim about frames is not known."""

from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tools.ensure_chromium import find

INSTRUCTION = "Chromium is missing. Install it (Debian: apt-get install chromium), or name it in ORIEL_CHROMIUM."
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # no name leads anywhere: tests talk to loopback
)
TIMEOUT_MS = 30_000
VIEWPORT = {"width": 1200, "height": 800}
ARTEFACTS = Path(__file__).parents[2] / ".artefacts" / "screenshots"


@pytest.fixture(scope="module")
def chromium():
    """The browser, one for a module: while it runs, its event loop keeps other tests from running one."""
    path = find()
    if not path or not Path(path).exists():
        pytest.fail(INSTRUCTION)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def profile(chromium):
    """A browser profile of the module's own."""
    profile = chromium.new_context(viewport=VIEWPORT)
    profile.set_default_timeout(TIMEOUT_MS)
    yield profile
    profile.close()


@pytest.fixture(scope="module")
def tab(profile):
    return profile.new_page()


@pytest.fixture
def page(tab):
    """An empty page, signed in nowhere. It is the module's one tab: another one would cost processes of its own."""
    yield tab
    tab.evaluate("() => { try { sessionStorage.clear(); localStorage.clear(); } catch { /* it has none */ } }")
    tab.goto("about:blank")
    tab.set_viewport_size(VIEWPORT)
    tab.emulate_media(color_scheme="null")
    tab.context.clear_cookies()


def keep(page, *name):
    """A screenshot for people to look at, in `.artefacts/screenshots`."""
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=ARTEFACTS / f"{'-'.join(name).replace(' ', '-')}.png")
