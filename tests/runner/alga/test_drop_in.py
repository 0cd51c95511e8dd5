"""What components of `alga:extension` expect, each expectation held by a real component."""

import base64
import json

import pytest

USER = {
    "id": "ada",
    "name": "Ada Lindqvist",
    "email": "ada@northwind.example",
    "type": "internal",
    "client_id": "cli_1",
    "client_name": "Northwind Traders",
    "additional_fields": {"team": "sales", "floor": "3"},
}
LIST = {"search": None, "includeInactive": None, "page": None, "pageSize": None}
CLIENT = {"client_id": "cli_1", "client_name": "Northwind", "is_inactive": False, "billing_email": "a@b.example"}
SERVICE = {
    "service_id": "s1",
    "service_name": "Support",
    "item_kind": "service",
    "billing_method": "hourly",
    "default_rate": 80,
    "unit_of_measure": "hour",
    "is_active": True,
}
INVOICE = {
    "clientId": "cli_1",
    "items": [{"serviceId": "s1", "quantity": 1.5, "description": "Help", "rate": 80, "discountType": "percentage"}],
    "poNumber": "PO-1",
}
SCHEDULE = {"endpoint": "/nightly", "cron": "0 3 * * *"}


def entry(key, value=b"v", revision=None, namespace="notes"):
    given = {"namespace": namespace, "key": key, "value": value}
    return given if revision is None else {**given, "revision": {"$u64": str(revision)}}


def ok(result):
    assert result[0] == "ok", result
    return result[1]


def err(result):
    assert result[0] == "err", result
    return result[1]


# the execute call


def test_the_url_is_the_path_with_its_query(app):
    asked = json.loads(app.execute(method="GET", path="/reports/a%20b", query="x=1&x=2").body())["ok"]
    assert asked["http"] == {"method": "GET", "url": "/reports/a%20b?x=1&x=2", "headers": []}


def test_without_a_query_there_is_no_question_mark(app):
    assert json.loads(app.execute(method="GET", path="/reports").body())["ok"]["http"]["url"] == "/reports"


def test_repeated_headers_come_in_their_order(app):
    headers = [("accept", "a"), ("x-ext-a", "1"), ("accept", "b")]
    asked = json.loads(app.execute(method="GET", headers=headers).body())["ok"]
    assert [(header["name"], header["value"]) for header in asked["http"]["headers"]] == headers


def test_context_values_come_from_the_execute_call(app):
    expected = {
        "requestId": "req_1",
        "tenantId": "acme",
        "extensionId": "com.acme.reports",
        "installId": app.install,
        "versionId": "ver_1",
    }
    assert json.loads(app.execute(method="GET").body())["ok"]["context"] == expected
    assert ok(app.call("context", "getContext")) == expected


def test_a_body_of_more_than_the_engine_carries_is_refused_before_it_runs(app):
    assert app.execute(b"x" * 2_500_001).error.code == "body_too_large"


def test_a_body_of_two_megabytes_goes_in(app):
    message = {"interface": "logging", "function": "logInfo", "args": ["x" * 2_000_000]}
    assert app.execute(json.dumps(message).encode()).error is None


# without a capability


@pytest.mark.parametrize(
    ("interface", "function", "args", "denial"),
    [
        ("secrets", "get", ["TOKEN"], "denied"),
        ("http", "fetch", [{"method": "GET", "url": "https://a.example/", "headers": []}], "not-allowed"),
        ("storage", "get", ["notes", "a"], "denied"),
        ("storage", "put", [entry("a")], "denied"),
        ("storage", "delete", ["notes", "a"], "denied"),
        ("storage", "listEntries", ["notes", None], "denied"),
        ("ui-proxy", "callRoute", ["/api/x", None], "denied"),
        ("scheduler", "listSchedules", [], "denied"),
        ("scheduler", "getSchedule", ["s1"], "denied"),
        ("scheduler", "getEndpoints", [], "denied"),
        ("clients", "listClients", [LIST], "not-allowed"),
        ("clients", "getClient", ["cli_1"], "not-allowed"),
        ("services", "listServices", [LIST], "not-allowed"),
        ("services", "getService", ["s1"], "not-allowed"),
    ],
)
def test_without_its_capability_a_function_answers_its_typed_denial(make_app, interface, function, args, denial):
    bare = make_app(grants=())
    assert err(bare.call(interface, function, *args)) == denial
    assert bare.last.receipt.denied_calls == 1


def test_without_the_capability_list_keys_is_empty(make_app):
    assert ok(make_app(grants=()).call("secrets", "listKeys")) == []


@pytest.mark.parametrize(
    ("interface", "function", "args"),
    [
        ("invoicing", "createManualInvoice", [INVOICE]),
        ("scheduler", "createSchedule", [SCHEDULE]),
        ("scheduler", "updateSchedule", ["s1", {}]),
        ("scheduler", "deleteSchedule", ["s1"]),
    ],
)
def test_without_the_capability_a_record_says_no_success_and_why(make_app, interface, function, args):
    result = ok(make_app(grants=()).call(interface, function, *args))
    assert result["success"] is False
    assert "has not granted" in result["error"]


def test_what_is_always_there_needs_no_grant(make_app):
    bare = make_app(grants=(), user=USER)
    assert ok(bare.call("context", "getContext"))["tenantId"] == "acme"
    assert ok(bare.call("user", "getUser"))["userId"] == "ada"
    assert ok(bare.call("logging", "logInfo", "hello")) is None
    assert bare.last.receipt.denied_calls == 0


# the log


@pytest.mark.parametrize(("function", "level"), [("logInfo", "info"), ("logWarn", "warn"), ("logError", "error")])
def test_lines_end_in_the_extensions_log(app, function, level):
    app.call("logging", function, "a line")
    assert [(line.level, line.message) for line in app.last.logs] == [(level, "a line")]


# the user


def test_the_user_is_told_as_the_execute_call_has_it(make_app):
    assert ok(make_app(user=USER).call("user", "getUser")) == {
        "tenantId": "acme",
        "clientName": "Northwind Traders",
        "userId": "ada",
        "userEmail": "ada@northwind.example",
        "userName": "Ada Lindqvist",
        "userType": "internal",
    }


def test_the_second_interface_tells_the_client_and_further_fields(make_app):
    told = ok(make_app(user=USER).call("user-v2", "getUser"))
    assert (told["clientId"], told["additionalFields"]) == ("cli_1", [["floor", "3"], ["team", "sales"]])


def test_the_company_may_be_called_company_name(make_app):
    user = {key: value for key, value in USER.items() if key != "client_name"} | {"company_name": "Contoso"}
    assert ok(make_app(user=user).call("user", "getUser"))["clientName"] == "Contoso"


@pytest.mark.parametrize("interface", ["user", "user-v2"])
def test_without_a_user_on_the_request_it_is_not_available(app, interface):
    assert err(app.call(interface, "getUser")) == "not-available"


def test_what_is_not_known_of_a_user_is_empty(make_app):
    told = ok(make_app(user={"id": "ada"}).call("user-v2", "getUser"))
    assert (told["userId"], told["userName"], told["userType"], told["clientName"]) == ("ada", "", "", "")
    assert "clientId" not in told


# secrets


def test_a_secret_is_read_and_its_key_listed(make_app):
    app = make_app(secrets=({"name": "TOKEN", "value": b"s3cr3t"},))
    assert ok(app.call("secrets", "get", "TOKEN")) == "s3cr3t"
    assert ok(app.call("secrets", "listKeys")) == ["TOKEN"]


def test_a_missing_secret_is_missing(app):
    assert err(app.call("secrets", "get", "NONE")) == "missing"


def test_a_secret_for_reference_only_is_denied(make_app):
    app = make_app(secrets=({"name": "TOKEN", "value": b"x", "reference_only": True, "hosts": ["a.example"]},))
    assert err(app.call("secrets", "get", "TOKEN")) == "denied"


# http


def test_where_the_platform_sends_nothing_a_fetch_is_not_allowed(app):
    request = {"method": "GET", "url": "https://a.example/", "headers": []}
    assert err(app.call("http", "fetch", request)) == "not-allowed"


# storage


def test_a_revision_starts_at_one_and_grows_by_one_a_write(app):
    for revision in (1, 2, 3):
        assert ok(app.call("storage", "put", entry("a")))["revision"] == revision
    assert ok(app.call("storage", "get", "notes", "a"))["revision"] == 3


def test_put_answers_the_entry_with_its_new_revision(app):
    assert ok(app.call("storage", "put", entry("a", b"\x00\xff"))) == {
        "namespace": "notes",
        "key": "a",
        "value": b"\x00\xff",
        "revision": 1,
    }


def test_what_was_put_is_got(app):
    app.call("storage", "put", entry("a", b"\x00\xff"))
    assert ok(app.call("storage", "get", "notes", "a"))["value"] == b"\x00\xff"


def test_a_given_revision_that_is_not_the_stored_one_is_a_conflict(app):
    app.call("storage", "put", entry("a"))
    assert err(app.call("storage", "put", entry("a", revision=2))) == "conflict"
    assert ok(app.call("storage", "put", entry("a", revision=1)))["revision"] == 2


def test_a_revision_given_for_what_is_not_there_is_a_conflict(app):
    assert err(app.call("storage", "put", entry("none", revision=1))) == "conflict"


def test_a_missing_key_is_missing(app):
    assert err(app.call("storage", "get", "notes", "none")) == "missing"
    assert err(app.call("storage", "delete", "notes", "none")) == "missing"


def test_a_deleted_entry_is_gone_and_begins_again_at_one(app):
    app.call("storage", "put", entry("a"))
    assert ok(app.call("storage", "delete", "notes", "a")) is None
    assert err(app.call("storage", "get", "notes", "a")) == "missing"
    assert ok(app.call("storage", "put", entry("a")))["revision"] == 1


def test_namespaces_do_not_meet(app):
    pairs = [("a", "b/c"), ("a/b", "c"), ("ab", "/c"), ("", "a/b/c"), ("1\x1fa", "b"), ("1", "\x1fab")]
    for at, (namespace, key) in enumerate(pairs):
        app.call("storage", "put", entry(key, str(at).encode(), namespace=namespace))
    for at, (namespace, key) in enumerate(pairs):
        assert ok(app.call("storage", "get", namespace, key))["value"] == str(at).encode()
        assert [item["key"] for item in ok(app.call("storage", "listEntries", namespace, None))] == [key]


def test_a_listing_goes_on_after_the_last_key_and_loses_nothing(app):
    keys = [f"k{at:03d}" for at in range(130)]
    for key in keys:
        app.call("storage", "put", entry(key))
    found, cursor = [], None
    while page := ok(app.call("storage", "listEntries", "notes", cursor)):
        found += [item["key"] for item in page]
        cursor = found[-1]
    assert found == keys


def test_a_listing_of_large_values_ends_early_and_loses_nothing(app):
    for at in range(6):
        app.call("storage", "put", entry(f"k{at}", b"x" * 250_000))
    first = ok(app.call("storage", "listEntries", "notes", None))
    rest = ok(app.call("storage", "listEntries", "notes", first[-1]["key"]))
    assert [item["key"] for item in first + rest] == [f"k{at}" for at in range(6)]


@pytest.mark.parametrize("given", [entry(""), entry("k" * 513), entry("k", b"x" * 262_145)])
def test_what_cannot_be_stored_is_internal_and_said_in_the_log(app, given):
    assert err(app.call("storage", "put", given)) == "internal"
    assert app.last.logs[-1].message.startswith("storage: ")


# pages


@pytest.mark.parametrize(("interface", "function", "operation"), [
    ("clients", "listClients", "clients.list"),
    ("services", "listServices", "services.list"),
])  # fmt: skip
def test_pages_are_one_and_twenty_five_where_none_are_given(app, interface, function, operation):
    app.product.answers[operation] = {"items": [], "total_count": 0, "page": 1, "page_size": 25}
    assert ok(app.call(interface, function, LIST)) == {"items": [], "totalCount": 0, "page": 1, "pageSize": 25}
    assert app.product.asked[0]["input"] == {"page": 1, "page_size": 25}


@pytest.mark.parametrize("function", [("clients", "listClients"), ("services", "listServices")])
@pytest.mark.parametrize("pages", [{"page": 0}, {"pageSize": 0}, {"pageSize": 101}])
def test_a_page_outside_its_bounds_is_invalid_and_never_asked(app, function, pages):
    assert err(app.call(*function, LIST | pages)) == "invalid-input"
    assert app.product.asked == []


# clients and services


def test_clients_are_listed_by_the_product_for_the_tenant(app):
    app.product.answers["clients.list"] = {"items": [CLIENT], "total_count": 1, "page": 2, "page_size": 10}
    asked = LIST | {"search": "north", "includeInactive": True, "page": 2, "pageSize": 10}
    found = ok(app.call("clients", "listClients", asked))
    assert found["items"] == [
        {"clientId": "cli_1", "clientName": "Northwind", "isInactive": False, "billingEmail": "a@b.example"}
    ]
    (message,) = app.product.asked
    assert message["input"] == {"search": "north", "include_inactive": True, "page": 2, "page_size": 10}
    assert message["context"]["tenant_id"] == "acme"


def test_services_carry_their_kinds(app):
    app.product.answers["services.list"] = {"items": [SERVICE], "total_count": 1, "page": 1, "page_size": 25}
    asked = {"itemKind": "service", "billingMethod": "hourly"}
    (found,) = ok(app.call("services", "listServices", asked))["items"]
    assert (found["itemKind"], found["billingMethod"], found["defaultRate"]) == ("service", "hourly", 80)
    assert app.product.asked[0]["input"]["billing_method"] == "hourly"


@pytest.mark.parametrize(("interface", "function", "operation", "record"), [
    ("clients", "getClient", "clients.get", CLIENT),
    ("services", "getService", "services.get", SERVICE),
])  # fmt: skip
def test_one_of_them_is_got_by_its_id_and_none_where_there_is_none(app, interface, function, operation, record):
    app.product.answers[operation] = record
    assert f"{interface[:-1]}Id" in ok(app.call(interface, function, "x1"))
    assert app.product.asked[0]["input"] == {"id": "x1"}
    for nothing in (None, ("404 Not Found", {"detail": "No."})):
        app.product.answers[operation] = nothing
        assert ok(app.call(interface, function, "x1")) is None


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (("403 Forbidden", {"detail": "Not you."}), "not-allowed"),
        (("422 Unprocessable", {"detail": "No."}), "invalid-input"),
        (("500 Error", {}), "internal"),
        ({"items": "none"}, "internal"),
        ({"items": [{"client_id": 1}], "total_count": 1, "page": 1, "page_size": 25}, "internal"),
    ],
)
def test_what_the_product_refuses_or_answers_wrongly_is_typed(app, answer, expected):
    app.product.answers["clients.list"] = answer
    assert err(app.call("clients", "listClients", LIST)) == expected


# invoicing


def test_an_invoice_is_created_by_the_product(app):
    app.product.answers["invoices.create-manual"] = {"invoice_id": "inv_1", "invoice_number": "7", "total": 120}
    assert ok(app.call("invoicing", "createManualInvoice", INVOICE)) == {
        "success": True,
        "invoiceId": "inv_1",
        "invoiceNumber": "7",
        "total": 120,
    }
    item = {"service_id": "s1", "quantity": 1.5, "description": "Help", "rate": 80, "discount_type": "percentage"}
    assert app.product.asked[0]["input"] == {"client_id": "cli_1", "items": [item], "po_number": "PO-1"}


def test_an_invoice_that_the_product_refuses_says_no_success_the_reason_and_the_fields(app):
    refusal = {"detail": "There is no such client.", "field_errors": {"client_id": "unknown"}}
    app.product.answers["invoices.create-manual"] = ("422 Unprocessable", refusal)
    assert ok(app.call("invoicing", "createManualInvoice", INVOICE)) == {
        "success": False,
        "error": "There is no such client.",
        "fieldErrors": '{"client_id": "unknown"}',
    }


# ui-proxy


@pytest.mark.parametrize("route", ["", " ", "/api/../admin", "..", "./x", "/api/%2e%2e/x", "/a/..\\b", "/%2e%2E%2fx"])
def test_a_blank_route_or_one_that_leads_elsewhere_is_a_bad_request(app, route):
    assert err(app.call("ui-proxy", "callRoute", route, None)) == "bad-request"
    assert app.product.asked == []


def test_an_unknown_route_is_not_found(app):
    app.product.answers["ui.call-route"] = ("404 Not Found", {"detail": "No such route."})
    assert err(app.call("ui-proxy", "callRoute", "/api/none", None)) == "route-not-found"


def test_a_route_is_a_get_without_payload_and_a_post_with(app):
    app.product.answers["ui.call-route"] = {"body_b64": base64.b64encode(b"\x00answer").decode()}
    assert ok(app.call("ui-proxy", "callRoute", "/api/x?a=1", None)) == b"\x00answer"
    assert ok(app.call("ui-proxy", "callRoute", "/api/x", b"\x01")) == b"\x00answer"
    without, with_ = (message["input"] for message in app.product.asked)
    assert without == {"route": "/api/x?a=1", "method": "GET"}
    assert with_ == {"route": "/api/x", "method": "POST", "payload_b64": "AQ=="}


# scheduler


@pytest.mark.parametrize(("function", "args"), [("listSchedules", []), ("getSchedule", ["s1"])])
def test_where_the_platform_keeps_no_schedules_asking_is_a_typed_failure(app, function, args):
    assert err(app.call("scheduler", function, *args)) == "internal"


@pytest.mark.parametrize(
    ("function", "args"),
    [("createSchedule", [SCHEDULE]), ("updateSchedule", ["s1", {}]), ("deleteSchedule", ["s1"])],
)
def test_and_changing_them_says_no_success_and_why(app, function, args):
    result = ok(app.call("scheduler", function, *args))
    assert result["success"] is False
    assert "no schedules" in result["error"]
