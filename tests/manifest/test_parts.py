import pytest

from oriel.errors import InvalidInput
from oriel.manifest import Manifest
from tests.support.bundles import manifest_document

SUBSCRIBING = [{"name": "events.subscribe", "purpose": "Count what is paid."}]


def findings(**overrides):
    with pytest.raises(InvalidInput) as caught:
        Manifest.parse(manifest_document(**overrides))
    return {finding.at: finding.message for finding in caught.value.findings}


def fetching(*hosts):
    return [{"name": "http.fetch", "purpose": "Fetch rates.", "hosts": list(hosts)}]


@pytest.mark.parametrize(
    ("host", "normal"),
    [
        ("API.Acme.com", "api.acme.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("*.Bücher.example", "*.xn--bcher-kva.example"),
        ("api。acme。com", "api.acme.com"),
    ],
)
def test_hosts_are_normalised(host, normal):
    assert Manifest.parse(manifest_document(capabilities=fetching(host))).asked["http.fetch"].hosts == (normal,)


@pytest.mark.parametrize(
    "host",
    [
        "*",
        "*.com",
        "a.*.com",
        "*acme.com",
        "localhost",
        "acme.com.",
        "ftp://acme.com",
        "acme.com/x",
        "acme.com:0",
        "user@acme.com",
        "127.0.0.1",
        "0x7f.1",
        "2130706433.0",
        "1.2.3.0x4",
        "[::1]",
        "::1",
        "fe80::1%eth0",
        "acme..com",
        "-a.com",
        "a b.com",
        "acme.com\n",
        "",
        "xn--a.com",
        "a_b.com",
        "x" * 64 + ".com",
        "*.127.0.0.1",
        "\uff11\uff12\uff17.\uff10.\uff10.\uff11",
    ],
)
def test_a_host_is_a_full_dns_name(host):
    assert list(findings(capabilities=fetching(host))) == ["capabilities[0].hosts[0]"]


def test_hosts_that_normalise_to_one_are_duplicates():
    found = findings(capabilities=fetching("api.acme.com", "API.acme.com"))
    assert found == {"capabilities[0].hosts": "names api.acme.com twice"}


def test_hosts_belong_to_capabilities_that_take_them():
    found = findings(capabilities=[{"name": "storage.kv", "purpose": "Keep.", "hosts": ["a.example"]}])
    assert found == {"capabilities[0]": "takes no hosts; leave them out of 'storage.kv'"}


@pytest.mark.parametrize("short", ["http.fetch", "cap:http.fetch"])
def test_fetching_cannot_be_asked_for_without_hosts(short):
    assert "needs hosts" in findings(capabilities=[short])["capabilities[0]"]


def test_an_empty_list_of_hosts_is_not_everything():
    assert "needs hosts" in findings(capabilities=fetching())["capabilities[0]"]


@pytest.mark.parametrize("name", ["wasi.sockets", "cap:", "cap:cap:storage.kv", "", "STORAGE.KV", "storage.kv "])
def test_an_unknown_capability_is_refused_with_the_known_ones(name):
    assert (
        "schedule.manage, secrets.get, service.read, storage.kv"
        in findings(capabilities=[name])["capabilities[0].name"]
    )


def calling(*operations):
    return [{"name": "host.call", "purpose": "Read.", "operations": list(operations)}]


def test_operations_of_the_product_are_asked_for_by_name():
    parsed = Manifest.parse(manifest_document(capabilities=calling("orders.list", "clients.get-by-name")))
    assert parsed.asked["host.call"].operations == ("orders.list", "clients.get-by-name")


@pytest.mark.parametrize("name", ["", "Orders", "orders.*", "orders..list", "orders list", "a" * 65])
def test_an_operation_that_is_no_name_is_refused(name):
    assert list(findings(capabilities=calling(name))) == ["capabilities[0].operations[0]"]


def test_calling_the_product_needs_operations_and_nothing_else_takes_them():
    assert "needs operations" in findings(capabilities=["host.call"])["capabilities[0]"]
    storage = {"name": "storage.kv", "purpose": "", "operations": ["orders.list"]}
    assert "takes no operations" in findings(capabilities=[storage])["capabilities[0]"]
    assert findings(capabilities=calling("a", "a")) == {"capabilities[0].operations": "names a twice"}


def test_one_capability_in_two_forms_is_a_duplicate():
    found = findings(capabilities=["storage.kv", {"name": "cap:storage.kv", "purpose": "Keep."}])
    assert found == {"capabilities[1]": "asks for 'storage.kv' again; it stands at capabilities[0]"}


@pytest.mark.parametrize(
    "path",
    [
        "",
        "reports",
        "/reports/",
        "//reports",
        "/../x",
        "/./x",
        "/.well-known",
        "/a/%2e%2e",
        "/a b",
        "/a;b",
        "/a\\b",
        "/:",
        "/a/:1",
        "/a?x=1",
        "/ä",
        "/a\0",
        "/" + "a" * 200,
        "/a\n",
    ],
)
def test_an_endpoints_path_is_plain(path):
    assert list(findings(api={"endpoints": [{"method": "GET", "path": path}]})) == ["api.endpoints[0].path"]


@pytest.mark.parametrize("path", ["/", "/a", "/a/:id", "/:a/:b_2", "/a.json", "/~a/b-c_d@+,=1"])
def test_ordinary_paths_are_taken(path):
    assert Manifest.parse(manifest_document(api={"endpoints": [{"method": "GET", "path": path}]}))


@pytest.mark.parametrize("method", ["get", "OPTIONS", "CONNECT", "*"])
def test_a_method_is_one_that_the_gateway_passes(method):
    assert list(findings(api={"endpoints": [{"method": method, "path": "/"}]})) == ["api.endpoints[0].method"]


def test_a_literal_beside_a_parameter_is_no_ambiguity():
    paths = ["/a/new", "/a/:id", "/:b/new"]
    assert Manifest.parse(manifest_document(api={"endpoints": [{"method": "GET", "path": path} for path in paths]}))


def test_a_parameter_is_named_once_in_a_path():
    found = findings(api={"endpoints": [{"method": "GET", "path": "/:id/x/:id"}]})
    assert found == {"api.endpoints[0].path": "names a parameter twice"}


def test_a_role_is_named_once():
    endpoint = {"method": "GET", "path": "/", "roles": ["a", "a"]}
    assert findings(api={"endpoints": [endpoint]}) == {"api.endpoints[0].roles": "names a twice"}


def test_an_event_needs_an_endpoint_that_takes_its_post():
    found = findings(capabilities=SUBSCRIBING, events=[{"topic": "invoice.paid", "path": "/reports/1"}])
    assert found == {
        "events[0].path": "is called with POST, and no endpoint answers that; "
        'add {"method": "POST", "path": "/reports/1"} to api.endpoints'
    }


def test_a_schedule_is_held_against_its_own_method():
    schedule = {"name": "n", "cron": "* * * * *", "method": "GET", "path": "/reports/daily"}
    assert Manifest.parse(manifest_document(schedules=[schedule])).schedules[0].method == "GET"


def test_a_handler_is_called_at_a_path_and_not_at_a_pattern():
    found = findings(schedules=[{"name": "n", "cron": "* * * * *", "method": "GET", "path": "/reports/:id"}])
    assert found == {"schedules[0].path": "must be the path that is called, without parameters"}


def test_a_mistaken_endpoint_does_not_make_its_events_mistaken():
    found = findings(
        capabilities=SUBSCRIBING,
        api={"endpoints": [{"method": "PSOT", "path": "/on"}]},
        events=[{"topic": "invoice.paid", "path": "/on"}],
    )
    assert list(found) == ["api.endpoints[0].method"]


def test_events_are_asked_for_and_what_is_asked_for_is_there_once():
    event = {"topic": "invoice.paid", "path": "/reports"}
    assert list(findings(events=[event])) == ["events"]
    assert list(findings(capabilities=SUBSCRIBING)) == ["capabilities[0]"]
    assert findings(capabilities=SUBSCRIBING, events=[event, event]) == {
        "events[1]": "is the same topic and path as events[0]"
    }


@pytest.mark.parametrize("topic", ["", "Invoice", "invoice.", ".invoice", "invoice.p*", "invoice..paid", "a b", "**"])
def test_a_topic_is_dotted_words_and_stars(topic):
    assert "events[0].topic" in findings(events=[{"topic": topic, "path": "/reports"}])


@pytest.mark.parametrize("value", [{}, {"$gt": 1}, [[1]], []])
def test_a_filter_compares_with_plain_values(value):
    found = findings(capabilities=SUBSCRIBING, events=[{"topic": "a", "path": "/reports", "filter": {"total": value}}])
    assert list(found) == ["events[0].filter.total"]


@pytest.mark.parametrize(
    "cron",
    [
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * * 8",
        "*/0 * * * *",
        "5/2 * * * *",
        "5-1 * * * *",
        "a * * * *",
        "@daily",
        "1,,2 * * * *",
        "-1 * * * *",
        "* * * foo *",
        "*/99 * * * *",
        "",
    ],
)
def test_a_cron_expression_is_checked_field_by_field(cron):
    found = findings(schedules=[{"name": "n", "cron": cron, "path": "/reports"}])
    assert list(found) == ["schedules[0].cron"]


@pytest.mark.parametrize(
    "cron", ["* * * * *", "*/5 0-6,22 1,15 JAN-mar mon-FRI", "0-59/15 3 31 12 7", "  0   3 * * * "]
)
def test_ordinary_cron_expressions_are_taken(cron):
    schedule = {"name": "n", "cron": cron, "path": "/reports"}
    assert Manifest.parse(manifest_document(schedules=[schedule])).schedules[0].cron == " ".join(cron.split())


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "", "europe/berlin", "CEST"])
def test_a_zone_is_of_the_iana_database(zone):
    found = findings(schedules=[{"name": "n", "cron": "* * * * *", "timezone": zone, "path": "/reports"}])
    assert list(found) == ["schedules[0].timezone"]


def test_schedules_have_names_of_their_own():
    schedule = {"name": "n", "cron": "* * * * *", "path": "/reports"}
    assert findings(schedules=[schedule, schedule]) == {"schedules[1].name": "is taken: another schedule is called 'n'"}


@pytest.mark.parametrize(
    "glob", ["**", "dist/*", "ui/../x", "ui/**/a/**", "/ui/**", "ui/.git/*", "ui//x", "ui/[a-z]", "ui/"]
)
def test_assets_lie_under_ui(glob):
    assert list(findings(assets=[glob])) == ["assets[0]"]


@pytest.mark.parametrize("entry", ["index.html", "ui/../x.html", "/ui/index.html", "ui\\index.html", "dist/main.wasm"])
def test_the_entry_lies_under_ui(entry):
    assert list(findings(ui={"entry": entry})) == ["ui.entry"]


def test_an_icon_lies_under_ui():
    found = findings(ui={"hooks": {"appMenu": [{"label": "x", "icon": "icon.svg"}]}})
    assert found == {"ui.hooks.appMenu[0].icon": "must be a file under ui/"}


@pytest.mark.parametrize("path", ["", "x", "//evil.example", "/../x", "javascript:alert(1)", "/a#b", "/\\evil"])
def test_a_hook_leads_into_the_ui_and_nowhere_else(path):
    assert "ui.hooks.appMenu[0].path" in findings(ui={"hooks": {"appMenu": [{"label": "x", "path": path}]}})


@pytest.mark.parametrize("place", ["AppMenu", "app menu", "__proto__", "", "1a"])
def test_a_hooks_place_is_a_plain_name(place):
    assert f"ui.hooks.{place}" in findings(ui={"hooks": {place: []}})
