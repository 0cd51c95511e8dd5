"""Endpoints of a manifest against requests."""

from dataclasses import dataclass
from itertools import permutations

import pytest

from oriel.errors import OrielError
from oriel.routing import match_endpoint


@dataclass(frozen=True)
class Endpoint:
    method: str
    path: str


ENDPOINTS = [
    Endpoint("GET", "/"),
    Endpoint("GET", "/reports/:id"),
    Endpoint("GET", "/reports/latest"),
    Endpoint("POST", "/reports/:id"),
    Endpoint("GET", "/:kind/latest"),
    Endpoint("GET", "/:kind/:id/pages/:page"),
    Endpoint("HEAD", "/files/:name"),
    Endpoint("GET", "/files/:name"),
]


def find(method, *segments, endpoints=ENDPOINTS):
    return match_endpoint(endpoints, method, segments)


def test_a_parameter_takes_the_decoded_segment():
    match = find("GET", "reports", "a b")
    assert (match.route, match.params) == ("/reports/:id", (("id", "a b"),))


def test_parameters_keep_the_order_of_the_path():
    assert find("GET", "invoices", "7", "pages", "2").params == (("kind", "invoices"), ("id", "7"), ("page", "2"))


def test_the_root_is_an_endpoint_like_any_other():
    assert find("GET").route == "/"


@pytest.mark.parametrize("order", list(permutations(ENDPOINTS[1:5])))
def test_a_literal_beats_a_parameter_in_whatever_order_they_are_declared(order):
    assert find("GET", "reports", "latest", endpoints=order).route == "/reports/latest"
    assert find("GET", "invoices", "latest", endpoints=order).route == "/:kind/latest"


def test_the_first_segment_that_differs_decides():
    endpoints = [Endpoint("GET", "/:a/b/c"), Endpoint("GET", "/a/:b/:c")]
    assert find("GET", "a", "b", "c", endpoints=endpoints).route == "/a/:b/:c"


def test_a_more_literal_path_of_another_method_does_not_hide_one_that_fits():
    assert find("POST", "reports", "latest").route == "/reports/:id"


@pytest.mark.parametrize("segments", [("reports",), ("reports", "1", "2"), ("Reports", "1", "x"), ("REPORTS",)])
def test_an_undeclared_path_is_not_found(segments):
    with pytest.raises(OrielError) as caught:
        find("GET", *segments)
    assert caught.value.code == "endpoint_not_found"


def test_a_declared_path_with_another_method_says_which_methods_there_are():
    with pytest.raises(OrielError) as caught:
        find("DELETE", "reports", "1")
    assert (caught.value.code, caught.value.extra["allow"]) == ("method_not_allowed", ["GET", "HEAD", "POST"])
    assert caught.value.headers()["allow"] == "GET, HEAD, POST"


def test_head_is_answered_by_get_where_no_head_is_declared():
    assert find("HEAD", "reports", "1").endpoint.method == "GET"
    assert find("HEAD", "files", "x").endpoint.method == "HEAD"


def test_head_is_not_answered_by_post():
    with pytest.raises(OrielError, match="does not take HEAD"):
        find("HEAD", "x", endpoints=[Endpoint("POST", "/x")])
