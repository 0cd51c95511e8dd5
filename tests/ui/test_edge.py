"""What CloudFront is given: the same paths, headers and choices as on one machine, held against each other."""

import json
import sys
import unicodedata

import pytest

from oriel import edge, ui
from oriel.errors import OrielError
from oriel.paths import clean_segments
from tests.ui.conftest import HEX, ROOT
from tests.ui.test_ui_origin import HOSTILE, NOT_THERE
from tools.webtools import node

SOURCES = ui.Sources("https://ui.example", ("https://app.example",))
NAVIGATION = {"sec-fetch-mode": "navigate"}
GOOD = [
    (f"{ROOT}/app.js", {}),
    (f"{ROOT}/app.js", {"accept-encoding": "gzip, deflate, br"}),
    (f"{ROOT}/app.js/", {"accept-encoding": "gzip"}),
    (f"{ROOT}/A.JS", {"accept-encoding": "br;q=0, *"}),
    (f"{ROOT}/img/logo.svg", {"accept-encoding": "*"}),
    (f"{ROOT}/font.woff2", {"accept-encoding": "br"}),
    (f"{ROOT.replace(':', '%3A')}/a%20b/%C3%A4.css", {"accept-encoding": "identity"}),
    (f"{ROOT}/50%25.html", {}),
    (ROOT, NAVIGATION),
    (f"{ROOT}/", {**NAVIGATION, "accept-encoding": "br"}),
    (f"{ROOT}/reports/7", {"accept": "text/html,*/*"}),
    (f"{ROOT}/reports/7.", NAVIGATION),
    (f"{ROOT}/reports", {"sec-fetch-mode": "cors", "accept": "text/html"}),
    (f"{ROOT}/reports", {}),
    (f"{ROOT}/gone.js", NAVIGATION),
]


def local(path, headers):
    """What the origin on one machine looks for: a blob's key, or the status of its refusal."""
    try:
        asset = ui.locate(clean_segments(path))
    except OrielError as error:
        return error.status
    if asset is not None and asset.is_extensionless:
        asset = asset.fallback() if ui.is_navigation(headers) else None
    if asset is None:
        return 404
    encodings = ui.negotiated(headers.get("accept-encoding")) if ui.shrinks(asset.path) else ()
    return asset.blob_key(next(iter(encodings), None))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Runs events through a function's code, under Node.js; gives what each returns."""

    def run(code, events):
        script = tmp_path_factory.mktemp("edge") / "function.js"
        script.write_text(f"{code}\nconsole.log(JSON.stringify({json.dumps(events)}.map(handler)));")
        done = node(script)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def request(path, headers, method="GET"):
    named = {name: {"value": value} for name, value in headers.items()}
    return {"request": {"method": method, "uri": path, "querystring": {"x": {"value": "1"}}, "headers": named}}


def test_the_function_finds_the_same_objects_and_refuses_the_same_paths(run):
    cases = GOOD + [(ROOT + tail, NAVIGATION) for tail in HOSTILE] + [(path, {}) for path in NOT_THERE]
    cases = [(path, headers) for path, headers in cases if not path.startswith("/oriel/")]
    answers = run(edge.viewer_request_code(SOURCES), [request(path, headers) for path, headers in cases])
    found = [answer.get("statusCode") or "/".join(clean_segments(answer["uri"])) for answer in answers]
    expected = [local(path, headers) for path, headers in cases]
    assert dict(zip(map(str, cases), found, strict=True)) == dict(zip(map(str, cases), expected, strict=True))


def test_what_it_answers_itself_is_a_problem_with_every_header_of_the_policy(run):
    events = [request(f"{ROOT}/app.js", {}, "POST"), request("/%2e%2e/x", {})]
    for answer, code in zip(
        run(edge.viewer_request_code(SOURCES), events), ("method_not_allowed", "invalid_path"), strict=True
    ):
        assert json.loads(answer["body"]["data"])["code"] == code
        said = {name: header["value"] for name, header in answer["headers"].items()}
        assert ui.headers_for("problem", SOURCES).items() <= said.items()
        assert said["content-type"] == "application/problem+json"


def test_the_query_is_dropped_and_the_guest_library_is_found(run):
    asset, library = run(
        edge.viewer_request_code(SOURCES), [request(f"{ROOT}/app.js", {}), request("/oriel/guest/base.css", {})]
    )
    assert asset["querystring"] == {}
    assert library["uri"] == "/oriel/guest/base.css"


def answer(status, key):
    named = {name: {"value": value} for name, value in ui.object_headers(key).items()}
    return {"request": {}, "response": {"statusCode": status, "headers": named}}


def test_only_whole_answers_are_immutable_and_say_what_they_depend_on(run):
    keys = [ui.ui_blob_key("com.acme.reports", HEX, path) for path in ("app.js", "index.html", "font.woff2")]
    events = [answer(status, key) for key in keys for status in (200, 206, 304)]
    for event, got in zip(events, run(edge.viewer_response_code(), events), strict=True):
        headers = {name: header["value"] for name, header in got["headers"].items()}
        assert ("immutable" in headers["cache-control"]) == (event["response"]["statusCode"] != 206)
    varies = [got["headers"].get("vary", {}).get("value") for got in run(edge.viewer_response_code(), events)]
    assert varies[::3] == [ui.vary(path) for path in ("app.js", "index.html", "font.woff2")]


def test_the_policy_says_the_headers_of_the_one_definition():
    policy = edge.response_headers_policy("oriel-ui", SOURCES)
    security, cors = policy["SecurityHeadersConfig"], policy["CorsConfig"]
    said = {item["Header"]: item["Value"] for item in policy["CustomHeadersConfig"]["Items"]}
    said |= {
        "content-security-policy": security["ContentSecurityPolicy"]["ContentSecurityPolicy"],
        "referrer-policy": security["ReferrerPolicy"]["ReferrerPolicy"],
        "x-content-type-options": "nosniff" if security["ContentTypeOptions"] else "",
        "access-control-allow-origin": cors["AccessControlAllowOrigins"]["Items"][0],
    }
    assert said == ui.headers_for("problem", SOURCES)
    kept = [item["Header"] for item in policy["CustomHeadersConfig"]["Items"] if not item["Override"]]
    assert kept == ["cache-control"]  # an object's own stays; an error of the bucket gets no-store


def test_the_functions_are_small_and_plain_enough():
    for code in (edge.viewer_request_code(SOURCES), edge.viewer_response_code()):
        assert code.isascii()
        assert len(code) < edge.MAX_FUNCTION_BYTES


def test_the_characters_that_only_look_harmless_are_all_of_them():
    dots, forbidden = "", ""
    for letter in map(chr, range(0x80, sys.maxunicode + 1)):
        if "\ud800" <= letter <= "\udfff":
            continue
        plain = unicodedata.normalize("NFKC", letter)
        if plain.startswith("."):
            dots += letter
        if letter >= "\xa0" and any(other in plain for other in "/\\;%"):
            forbidden += letter
    assert (dots, forbidden) == (edge.DOT_LIKE, edge.FORBIDDEN_LIKE)
