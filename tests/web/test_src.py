"""Where the host library says that an extension's UI is."""

import pytest

pytestmark = pytest.mark.browser

HASH = "sha256:" + "0" * 64
UI = {"uiOrigin": "https://ui.example/", "extensionId": "com.acme.reports", "contentHash": HASH}


@pytest.fixture(scope="module")
def build(raised, profile):
    page = profile.new_page()
    raised.open(page)

    def call(**changes):
        attempt = (
            "(ui) => { try { return oriel.buildExtUiSrc(ui); } catch (error) { return error.code ?? error.name; } }"
        )
        return page.evaluate(attempt, {**UI, **changes})

    return call


def test_the_url_is_the_entry_under_the_content_hash(build):
    assert build() == f"https://ui.example/ext-ui/com.acme.reports/{HASH}/index.html"
    assert build(entry="ui/pages/main page.html").endswith(f"{HASH}/pages/main%20page.html")


def test_the_path_travels_in_the_fragment(build):
    assert build(path="/reports/7?full=1").endswith("/index.html#/reports/7?full=1")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"extensionId": "../evil"}, "invalid_extension"),
        ({"extensionId": "nodots"}, "invalid_extension"),
        ({"extensionId": "com.acme.reports/x"}, "invalid_extension"),
        ({"contentHash": "0" * 64}, "invalid_extension"),
        ({"contentHash": HASH.upper()}, "invalid_extension"),
        ({"uiOrigin": "javascript:alert(1)"}, "invalid_extension"),
        ({"entry": "index.html"}, "invalid_path"),
        ({"entry": "ui/../../x.html"}, "invalid_path"),
        ({"path": "/../../x"}, "invalid_path"),
    ],
)
def test_what_would_lead_elsewhere_is_refused(build, changes, code):
    assert build(**changes) == code
