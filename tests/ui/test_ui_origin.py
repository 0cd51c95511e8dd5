"""What the UI origin answers, path by path."""

import gzip
import json
from contextlib import contextmanager
from types import SimpleNamespace

import brotli
import pytest

from oriel.blobs.files import FileBlobs
from oriel.local.ui_origin import create_ui_app
from oriel.ui import ui_blob_key
from tests.support.serving import Port
from tests.ui.conftest import FILES, HEX, ROOT, Client

IMMUTABLE = "public, max-age=31536000, immutable"
NAVIGATION = {"sec_fetch_mode": "navigate", "accept": "text/html"}

NOT_THERE = [
    "/",
    "/ext-ui",
    "/ext-ui/com.acme.reports",
    f"/ext-ui/com.acme.reports/{HEX}/app.js",
    f"/ext-ui/com.acme.reports/sha256:{HEX[:-1]}/app.js",
    f"/ext-ui/com.acme.reports/sha256:{HEX.upper()}/app.js",
    f"/ext-ui/com.acme.reports/sha512:{HEX}/app.js",
    f"/ext-ui/Com.Acme/sha256:{HEX}/app.js",
    f"/ext-ui/com.acme.other/sha256:{HEX}/app.js",
    f"/ext-ui/*/sha256:{HEX}/app.js",
    "/oriel/host.js",
    "/oriel/host/frame.js",
    "/oriel",
    "/staging/upload",
]
HOSTILE = [
    "/../app.js",
    "/%2e%2e/app.js",
    "/%252e%252e/app.js",
    "/..%2fapp.js",
    "/..%5capp.js",
    "/%c0%ae%c0%ae/app.js",
    "/..;/app.js",
    "/a;b.js",
    "//app.js",
    "/app.js%00",
    "/.env",
    "/img/.hidden",
    "/" + "a" * 4096,
    "/%ef%bc%8e%ef%bc%8e/app.js",
    "/app%0d%0a.js",
]


def assert_problem(answer, status, code):
    assert (answer.status, json.loads(answer.body)["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert "sandbox" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("index.html", "text/html; charset=utf-8"),
        ("app.js", "text/javascript; charset=utf-8"),
        ("style.css", "text/css; charset=utf-8"),
        ("img/logo.svg", "image/svg+xml"),
        ("font.woff2", "font/woff2"),
        ("empty.txt", "text/plain; charset=utf-8"),
        ("unknown.zzz", "application/octet-stream"),
    ],
)
def test_an_asset_is_served_immutable_with_its_type(get, path, media_type):
    answer = get(f"{ROOT}/{path}")
    assert (answer.status, answer.body) == (200, FILES[path])
    assert answer.headers["content-type"] == media_type
    assert answer.headers["content-length"] == str(len(FILES[path]))
    assert answer.headers["cache-control"] == IMMUTABLE
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_hash_may_come_percent_encoded(get):
    assert get(f"{ROOT.replace(':', '%3A')}/app.js").status == 200


def test_a_known_etag_is_304_with_the_same_headers_and_no_body(get):
    first = get(f"{ROOT}/app.js")
    etag = first.headers["etag"]
    assert etag.startswith('"')
    for sent in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        answer = get(f"{ROOT}/app.js", if_none_match=sent)
        assert (answer.status, answer.body) == (304, b"")
        assert answer.headers["cache-control"] == IMMUTABLE
        assert answer.headers["etag"] == etag
    assert get(f"{ROOT}/app.js", if_none_match='"other"').status == 200


def test_head_is_get_without_the_body(get):
    answer = get(f"{ROOT}/app.js", "HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["content-length"] == str(len(FILES["app.js"]))


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("bytes=0-3", 0, 3), ("bytes=5-", 5, 33), ("bytes=-4", 30, 33), ("bytes=30-99", 30, 33)],
)
def test_a_single_range_is_206(get, asked, first, last):
    answer = get(f"{ROOT}/app.js", range=asked)
    assert (answer.status, answer.body) == (206, FILES["app.js"][first : last + 1])
    assert answer.headers["content-range"] == f"bytes {first}-{last}/34"
    assert answer.headers["cache-control"] == "public, max-age=31536000"  # a part is not the thing that the hash names


@pytest.mark.parametrize(
    "asked", ["bytes=0-1,3-4", "items=0-1", "bytes=-", "bytes=5-2", "bytes=a-b", "bytes=" + "9" * 5000]
)
def test_a_range_that_is_not_understood_is_ignored(get, asked):
    assert get(f"{ROOT}/app.js", range=asked).status == 200


def test_a_range_behind_the_end_is_416_and_not_stored(get):
    assert_problem(get(f"{ROOT}/app.js", range="bytes=34-"), 416, "range_not_satisfiable")


def test_a_range_of_an_empty_file_is_the_whole_of_it(get):
    assert get(f"{ROOT}/empty.txt", range="bytes=0-1").status == 200


def test_if_range_of_another_entity_gives_the_whole(get):
    assert get(f"{ROOT}/app.js", range="bytes=0-3", if_range='"other"').status == 200


@pytest.mark.parametrize("path", ["", "/", "/reports", "/reports/7"])
def test_a_navigation_inside_the_app_gets_the_entry(get, path):
    answer = get(f"{ROOT}{path}", **NAVIGATION)
    assert (answer.status, answer.body) == (200, FILES["index.html"])
    assert answer.headers["content-type"].startswith("text/html")
    assert "sec-fetch-mode" in answer.headers["vary"]


@pytest.mark.parametrize(
    ("accepted", "encoding", "decode"),
    [("gzip, deflate, br, zstd", "br", brotli.decompress), ("gzip", "gzip", gzip.decompress)],
)
def test_what_was_compressed_at_publish_is_sent_to_who_takes_it(get, accepted, encoding, decode):
    answer = get(f"{ROOT}/app.js", accept_encoding=accepted)
    assert (answer.status, decode(answer.body)) == (200, FILES["app.js"])
    assert answer.headers["content-encoding"] == encoding
    assert answer.headers["content-length"] == str(len(answer.body))
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "accept-encoding" in answer.headers["vary"]


def test_each_encoding_has_a_validator_of_its_own(get):
    plain, packed = get(f"{ROOT}/app.js"), get(f"{ROOT}/app.js", accept_encoding="br")
    etag = packed.headers["etag"]
    assert etag != plain.headers["etag"]
    assert get(f"{ROOT}/app.js", accept_encoding="br", if_none_match=etag).status == 304
    assert get(f"{ROOT}/app.js", if_none_match=etag).status == 200
    assert "accept-encoding" in plain.headers["vary"]


def test_what_does_not_shrink_is_sent_as_it_is(get):
    answer = get(f"{ROOT}/font.woff2", accept_encoding="br")
    assert answer.body == FILES["font.woff2"]
    assert not {"content-encoding", "vary"} & answer.headers.keys()


def test_a_file_that_looks_like_an_encoding_is_a_file(get):
    assert get(f"{ROOT}/app.js.br").body == b"the author's own"
    assert_problem(get(f"{ROOT}.br/app.js"), 404, "not_found")


def test_a_navigation_takes_an_encoding_too(get):
    answer = get(f"{ROOT}/reports/7", **NAVIGATION, accept_encoding="br")
    assert brotli.decompress(answer.body) == FILES["index.html"]


def test_a_missing_script_is_404_and_not_stored_even_for_a_navigation(get):
    assert_problem(get(f"{ROOT}/gone.js"), 404, "not_found")
    assert_problem(get(f"{ROOT}/gone.js", **NAVIGATION), 404, "not_found")


def test_an_extensionless_path_is_404_where_it_is_no_navigation(get):
    assert_problem(get(f"{ROOT}/reports", sec_fetch_mode="cors", accept="text/html"), 404, "not_found")
    assert_problem(get(f"{ROOT}/reports", accept="*/*"), 404, "not_found")


@pytest.mark.parametrize("path", NOT_THERE)
def test_what_is_not_there_is_404(get, path):
    assert_problem(get(path), 404, "not_found")


@pytest.mark.parametrize("tail", HOSTILE)
def test_a_hostile_path_is_400(get, tail):
    assert_problem(get(ROOT + tail, **NAVIGATION), 400, "invalid_path")


def test_other_methods_are_405(get):
    answer = get(f"{ROOT}/app.js", "POST")
    assert_problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD"


def test_the_guest_library_is_served_and_revalidated(get):
    answer = get("/oriel/guest.js")
    assert answer.status == 200
    assert answer.headers["cache-control"] == "public, no-cache"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert get("/oriel/guest.js", if_none_match=answer.headers["etag"]).status == 304
    assert get("/oriel/guest/base.css").headers["content-type"] == "text/css; charset=utf-8"


def test_a_store_whose_streams_cannot_be_sought_in_serves_the_whole_and_its_parts(tmp_path):
    """S3 is one, under `make sam-local`."""

    class Forward(FileBlobs):
        @contextmanager
        def open(self, key):
            with super().open(key) as stream:
                yield SimpleNamespace(read=stream.read, seekable=lambda: False)

    blobs = Forward(tmp_path)
    blobs.put_new(ui_blob_key("com.acme.reports", HEX, "app.js"), FILES["app.js"])
    port = Port()
    with port.serve(create_ui_app(blobs, ui_origin=port.origin, host_origins=[])) as origin:
        client = Client(origin)
        assert client(f"{ROOT}/app.js").body == FILES["app.js"]
        assert client(f"{ROOT}/app.js", range="bytes=3-5").body == FILES["app.js"][3:6]
        client.close()
