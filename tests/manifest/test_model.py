import copy
import json

import pytest

from oriel.capabilities import CAPABILITIES
from oriel.contract import Limits
from oriel.errors import InvalidInput
from oriel.manifest import MAX_MANIFEST_BYTES, LimitsRequest, Manifest
from tests.support.bundles import manifest_document

FULL = manifest_document(
    description="What was sold, by month.",
    capabilities=[
        {"name": "http.fetch", "purpose": "Fetch exchange rates.", "hosts": ["api.acme.com", "*.cdn.acme.com"]},
        "storage.kv",
        "cap:secrets.get",
        {"name": "events.subscribe", "purpose": "Add an invoice to the reports when it is paid."},
    ],
    ui={
        "type": "iframe",
        "entry": "ui/index.html",
        "hooks": {"appMenu": [{"label": "Reports", "path": "/", "icon": "ui/icon.svg"}], "clientTab": []},
    },
    api={
        "endpoints": [
            {"method": "GET", "path": "/reports/:id", "roles": ["manager"]},
            {"method": "POST", "path": "/on-invoice"},
            {"method": "POST", "path": "/jobs/:name"},
        ]
    },
    events=[{"topic": "invoice.*", "path": "/on-invoice", "filter": {"total.currency": ["EUR", None]}}],
    schedules=[
        {"name": "nightly", "cron": "0 3 * * MON-FRI", "timezone": "Europe/Berlin", "path": "/jobs/nightly",
         "payload": {"since": None}},
    ],
    assets=["ui/**", "ui/*.svg"],
    sbom="sbom.spdx.json",
    settings={"type": "object", "properties": {"currency": {"type": "string", "default": None}}} | {"properties": {}},
    limits={"timeout_ms": 2_000, "max_host_calls": 0},
)  # fmt: skip


def findings(**overrides):
    """Place and message of every finding of a small manifest with these fields."""
    with pytest.raises(InvalidInput) as caught:
        Manifest.parse(manifest_document(**overrides))
    assert caught.value.code == "invalid_manifest"
    return {finding.at: finding.message for finding in caught.value.findings}


def test_the_documented_example_is_valid():
    manifest = Manifest.parse(json.dumps(FULL))
    assert manifest.asked["http.fetch"].hosts == ("api.acme.com", "*.cdn.acme.com")
    assert manifest.capability("secrets.get").purpose == ""
    assert manifest.capability("user.read") is None
    assert manifest.schedules[0].method == "POST"


@pytest.mark.parametrize("form", [json.dumps(FULL), json.dumps(FULL).encode(), FULL])
def test_text_bytes_and_object_are_read_alike(form):
    assert Manifest.parse(form) == Manifest.parse(FULL)


def test_the_canonical_form_parses_to_an_equal_manifest():
    manifest = Manifest.parse(FULL)
    again = Manifest.parse(manifest.to_json())
    assert again == manifest
    assert json.dumps(again.to_json()) == json.dumps(manifest.to_json())


def test_the_canonical_form_keeps_null_where_it_is_a_value():
    canonical = Manifest.parse(FULL).to_json()
    assert canonical["schedules"][0]["payload"] == {"since": None}
    assert canonical["events"][0]["filter"] == {"total.currency": ["EUR", None]}
    assert "fuel" not in canonical["limits"]


def test_short_capabilities_with_and_without_prefix_mean_the_same():
    short = Manifest.parse(manifest_document(capabilities=["cap:storage.kv"]))
    assert short == Manifest.parse(manifest_document(capabilities=["storage.kv"]))
    assert short.to_json()["capabilities"] == [{"name": "storage.kv", "purpose": "", "hosts": [], "operations": []}]


def test_parsing_leaves_the_given_object_alone():
    document = copy.deepcopy(FULL)
    Manifest.parse(document)
    assert document == FULL


def test_an_editor_may_name_the_schema():
    assert Manifest.parse({"$schema": "manifest.schema.json", **FULL}) == Manifest.parse(FULL)


def test_every_mistake_is_reported_at_once_with_its_place():
    found = findings(
        name="org.other",
        version="1.2",
        runtime="wasm-rb@1",
        capabilities=["http.fetch", "storge.kv", {"name": "user.read"}, "secrets.get", "cap:secrets.get"],
        ui={"hooks": {"appMenu": [{"lable": "Reports"}]}},
        api={"endpoints": [{"method": "GET", "path": "/a/:x"}, {"method": "GET", "path": "/a/:y"}]},
        schedules=[{"name": "n", "cron": "60 * * * *", "path": "/a"}],
        settings={"type": "object", "properties": {"a": {"type": "strng"}}},
        titel="Reports",
    )
    assert found == {
        "name": "must be 'com.acme' or start with 'com.acme.', as its publisher is 'com.acme'",
        "version": "is not a semantic version; write it as 1.2.0 or 1.2.0-beta.1",
        "runtime": "must be 'wasm-js@1', 'wasm-py@1', 'wasi-js@1' or 'wasm@1'",
        "capabilities[0]": "needs hosts: write {'name': 'http.fetch', 'purpose': '…', 'hosts': ['api.example.com']}",
        "capabilities[1].name": f"is not a known capability ({', '.join(sorted(CAPABILITIES))})"
        "; did you mean 'storage.kv'?",
        "capabilities[2].purpose": "is missing",
        "capabilities[4]": "asks for 'secrets.get' again; it stands at capabilities[3]",
        "ui.hooks.appMenu[0].label": "is missing",
        "ui.hooks.appMenu[0].lable": "is not a known key; did you mean 'label'?",
        "api.endpoints[1]": "answers the same requests as api.endpoints[0]",
        "schedules[0].cron": "has a minute that is not *, 0-59, a range, a step or a list of them",
        "settings.properties.a.type": "'strng' is not valid under any of the given schemas",
        "titel": "is not a known key; did you mean 'title'?",
    }


@pytest.mark.parametrize("key", ["manifest_version", "name", "publisher", "version", "title", "runtime"])
def test_a_required_key_that_is_missing_is_named(key):
    assert findings(**{key: None})[key] == "is missing"


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ('{"manifest_version": 2, "manifest_version": 2}', "'manifest_version' stands twice"),
        ('{"limits": {"timeout_ms": NaN}}', "NaN"),
        ('{"settings": ' + "[" * 100 + "]" * 100 + "}", "deeper than 32"),
        ("[]", "must hold an object"),
        ('{"a": ', "line 1"),
        (b"\xff\xfe{\x00}\x00", "UTF-8"),
    ],
)
def test_what_is_not_one_strict_json_object_is_refused(document, why):
    with pytest.raises(InvalidInput, match=why):
        Manifest.parse(document)


def test_a_manifest_over_256_kib_is_refused_before_it_is_parsed():
    padded = json.dumps(manifest_document()) + " " * MAX_MANIFEST_BYTES
    with pytest.raises(InvalidInput, match="at most 262,144"):
        Manifest.parse(padded)


def test_a_manifest_of_mistakes_gets_an_answer_of_readable_size():
    found = findings(**{f"key{number}": 1 for number in range(5_000)})
    assert len(found) == 101
    assert found[""] == "4900 more mistakes are not listed"


@pytest.mark.parametrize("version", ["1", "1.2", "v1.2.0", "01.2.0", "1.2.0-", "1.2.0 ", "1.2.0-01", "", "1.2.x"])
def test_a_version_is_strict_semver(version):
    assert "version" in findings(version=version)


@pytest.mark.parametrize("version", ["0.0.0", "1.2.0-beta.1", "1.2.0+build.5", "10.20.30-rc.1+meta"])
def test_every_form_of_semver_is_taken(version):
    assert Manifest.parse(manifest_document(version=version)).version == version


@pytest.mark.parametrize(
    "name",
    [
        "reports",
        "com.Acme.reports",
        "com..acme",
        "com.acme.",
        ".com.acme",
        "com.acme.-x",
        "com.acme/x",
        "com.a_b",
        "com." + "a" * 64,
        "com." + "a." * 70 + "b",
        "com.acme.\u0430",
        "com.acme\n",
    ],
)
def test_a_name_is_a_reverse_domain(name):
    assert "name" in findings(name=name)


@pytest.mark.parametrize("name", ["com.acmereports", "com", "com.acm.reports"])
def test_a_publisher_owns_whole_labels_only(name):
    assert "name" in findings(name=name)


def test_a_publishers_own_name_is_one_it_owns():
    assert Manifest.parse(manifest_document(name="com.acme")).name == "com.acme"


@pytest.mark.parametrize("text", ["a\u202eb", "a\nb", "a\0b", "a\u2066b", " a", "", "x" * 61, "a\x1b[31m"])
def test_text_on_a_consent_screen_is_one_plain_line(text):
    assert "title" in findings(title=text)


def test_text_may_join_characters_as_ordinary_writing_does():
    assert Manifest.parse(
        manifest_document(title="\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \U0001f469\u200d\U0001f4bb")
    ).title


def test_limits_are_those_of_an_execution():
    assert LimitsRequest.model_fields.keys() == set(Limits.__struct_fields__)


@pytest.mark.parametrize(
    ("limits", "at"),
    [({"timeout_ms": 0}, "limits.timeout_ms"), ({"timeout_ms": "5"}, "limits.timeout_ms"),
     ({"memory_mb": True}, "limits.memory_mb"), ({"memory_mb": 1.5}, "limits.memory_mb"), ({"cpu": 1}, "limits.cpu")],
)  # fmt: skip
def test_limits_are_whole_numbers_within_bounds(limits, at):
    assert at in findings(limits=limits)
