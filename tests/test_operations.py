"""The operator's list of host operations."""

import json

import pytest

from oriel.errors import InvalidInput
from oriel.operations import intersection, load_operations

BASE = "http://127.0.0.1:8420"


def refused(source):
    with pytest.raises(InvalidInput) as error:
        load_operations(source, BASE)
    return error.value.findings


def test_nothing_configured_is_no_operation():
    assert load_operations("", BASE) == {}


def test_the_list_is_json_or_a_file_of_it(tmp_path):
    text = json.dumps({"orders.list": {"url": "https://erp.example/op", "timeout_ms": 100}})
    file = tmp_path / "operations.json"
    file.write_text(text)
    assert load_operations(text, BASE) == load_operations(str(file), BASE)
    assert load_operations(text, BASE)["orders.list"].timeout_ms == 100


def test_a_path_alone_is_one_of_the_platforms_own_address():
    assert load_operations('{"a": {"url": "/op"}}', BASE)["a"].url == f"{BASE}/op"


@pytest.mark.parametrize("url", ["http://127.0.0.1:9000/x", "http://[::1]:9000/", "https://erp.internal", "/op?x=1"])
def test_the_operators_urls_may_lead_anywhere(url):
    assert load_operations(json.dumps({"a": {"url": url}}), BASE)


@pytest.mark.parametrize("url", ["", "ftp://x/", "op", "https://user:pass@erp.example/", "https://erp.example/#a"])
def test_a_url_that_is_none_is_refused_with_its_place(url):
    (finding,) = refused(json.dumps({"orders.list": {"url": url}}))
    assert finding.at == "orders.list.url"


@pytest.mark.parametrize("name", ["", "Orders", "orders..list", "orders.*", "orders list", "a" * 65])
def test_a_name_that_is_none_is_refused(name):
    assert refused(json.dumps({name: {"url": "/op"}}))


@pytest.mark.parametrize("more", [{"method": "GET"}, {"timeout_ms": 0}, {"max_bytes": 0}, {"headers": {}}])
def test_what_is_not_a_member_or_out_of_range_is_refused(more):
    assert refused(json.dumps({"a": {"url": "/op", **more}}))


def test_every_mistake_is_told_at_once():
    assert len(refused('{"a": {"url": ""}, "b": {"url": "/op", "method": "GET"}}')) == 2


@pytest.mark.parametrize("source", ["{", '{"a": 1, "a": 2}', "no/such/file"])
def test_what_cannot_be_read_stops_the_start(source):
    assert refused(source)


def test_both_sides_must_name_an_operation():
    assert intersection(["b", "a", "c"], ["c", "b", "d"]) == ("b", "c")
