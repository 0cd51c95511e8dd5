"""The one definition of the UI origin's headers."""

import pytest

from oriel.ui import (
    Asset,
    Sources,
    content_security_policy,
    headers_for,
    locate,
    media_type,
    negotiated,
    object_headers,
    shrinks,
    ui_blob_key,
)

SOURCES = Sources("https://ui.example", ("https://a.example", "https://b.example"))


@pytest.fixture
def directives():
    pairs = (part.split(" ", 1) for part in content_security_policy(SOURCES).split("; "))
    return {name: value.split() for name, value in pairs}


def test_everything_is_refused_but_own_files(directives):
    assert directives["default-src"] == ["'none'"]
    assert directives["connect-src"] == ["'none'"]
    assert directives["form-action"] == ["'none'"]
    assert directives["base-uri"] == ["'none'"]
    assert directives["script-src"] == ["https://ui.example"]
    assert directives["style-src"] == ["https://ui.example"]


def test_the_sandbox_never_allows_the_same_origin(directives):
    assert directives["sandbox"] == ["allow-scripts", "allow-forms"]


def test_only_host_origins_may_frame(directives):
    assert directives["frame-ancestors"] == ["https://a.example", "https://b.example"]
    assert "frame-ancestors 'none'" in content_security_policy(Sources("https://ui.example", ()))


def test_self_is_not_named_because_the_documents_are_opaque():
    assert "'self'" not in content_security_policy(SOURCES)
    assert "unsafe" not in content_security_policy(SOURCES)


@pytest.mark.parametrize("kind", ["asset", "part", "library", "problem"])
def test_every_kind_of_answer_carries_the_policy(kind):
    headers = headers_for(kind, SOURCES)
    assert headers["content-security-policy"] == content_security_policy(SOURCES)
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    assert "camera=()" in headers["permissions-policy"]
    assert "access-control-allow-credentials" not in headers


def test_immutable_is_for_assets_alone():
    kinds = [
        kind
        for kind in ("asset", "part", "library", "problem")
        if "immutable" in headers_for(kind, SOURCES)["cache-control"]
    ]
    assert kinds == ["asset"]


def test_an_asset_is_found_under_its_blob_key():
    hexdigest = "0" * 64
    asset = locate(("ext-ui", "com.acme.reports", f"sha256:{hexdigest}", "img", "logo.svg"))
    assert asset == Asset("com.acme.reports", hexdigest, "img/logo.svg")
    assert asset.blob_key() == f"ext-ui/com.acme.reports/{hexdigest}/img/logo.svg"
    assert asset.blob_key("br") == f"ext-ui/com.acme.reports/{hexdigest}.br/img/logo.svg"


def test_types_do_not_depend_on_the_machine():
    assert media_type("A.JS") == "text/javascript; charset=utf-8"
    assert media_type("Makefile") == "application/octet-stream"


@pytest.mark.parametrize(
    ("header", "encodings"),
    [
        (None, ()),
        ("", ()),
        ("gzip, deflate, br, zstd", ("br", "gzip")),
        ("GZIP", ("gzip",)),
        ("br;q=0, *", ("gzip",)),
        ("br;q=0.0, gzip;q=0.001", ("gzip",)),
        ("*", ("br", "gzip")),
        ("identity, *;q=0", ()),
    ],
)
def test_encodings_are_those_that_the_browser_takes_the_best_first(header, encodings):
    assert negotiated(header) == encodings


def test_what_is_compressed_already_is_not_compressed_again():
    assert [name for name in ("a.png", "a.woff2", "a.mp4", "a", "a.zzz", "a.pdf") if shrinks(name)] == []
    assert all(shrinks(name) for name in ("a.html", "a.js", "a.css", "a.svg", "a.json", "a.wasm", "a.ttf"))


def test_a_store_that_answers_browsers_itself_keeps_the_same_headers():
    key = ui_blob_key("com.acme.reports", "0" * 64, "app.js", "br")
    assert object_headers(key) == {
        "content-type": "text/javascript; charset=utf-8",
        "content-encoding": "br",
        "cache-control": headers_for("asset", SOURCES)["cache-control"],
    }
    assert "content-encoding" not in object_headers(ui_blob_key("com.acme.reports", "0" * 64, "app.js"))
    assert object_headers("oriel/guest.js")["cache-control"] == "public, no-cache"
    assert object_headers("bundles/sha256/00/bundle.tar.zst") == {}
