"""Values as JSON and back, by their type."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oriel.engine.alga import PREFIX, alga_types
from oriel.engine.types import Enum, ListOf, Option, Record, Scalar
from runner.alga.shapes import Mismatch, from_json, to_json

RECORD = Record((("a-b", Scalar("u32")), ("c", Option(Scalar("string"))), ("d", ListOf(Enum(("x-y", "z"))))))
NUMBERS = {"u32": st.integers(0, 2**32 - 1), "f64": st.floats(allow_nan=False, allow_infinity=False)}


def values(type_):  # noqa: PLR0911 - one return for each kind of type
    match type_:
        case Scalar("string"):
            return st.text(max_size=5)
        case Scalar("bool"):
            return st.booleans()
        case Scalar(name):
            return NUMBERS[name]
        case Enum(names):
            return st.sampled_from(names)
        case Option(some):
            return st.none() | values(some)
        case ListOf(element):
            return st.lists(values(element), max_size=2)
        case Record(fields):
            return st.fixed_dictionaries({name.replace("-", "_"): values(field) for name, field in fields})


@pytest.mark.parametrize(
    "type_",
    [
        alga_types()[f"{PREFIX}clients"]["list-clients"].result.ok,
        alga_types()[f"{PREFIX}services"]["get-service"].result.ok,
        alga_types()[f"{PREFIX}invoicing"]["create-manual-invoice"].params[0][1],
    ],
    ids=["clients", "service", "invoice"],
)
def test_what_goes_out_comes_back(type_):
    @given(values(type_))
    def holds(value):
        assert from_json(type_, to_json(type_, value)) == value

    holds()


def test_members_are_in_snake_case_and_none_is_left_out():
    assert to_json(RECORD, {"a_b": 1, "c": None, "d": ["x-y"]}) == {"a_b": 1, "d": ["x-y"]}


def test_members_that_nobody_asked_for_are_left_out():
    assert from_json(RECORD, {"a_b": 1, "d": [], "more": 2}) == {"a_b": 1, "c": None, "d": []}


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ({"d": []}, "answer.a_b"),
        ({"a_b": True, "d": []}, "answer.a_b"),
        ({"a_b": -1, "d": []}, "answer.a_b"),
        ({"a_b": 2**32, "d": []}, "answer.a_b"),
        ({"a_b": 1.5, "d": []}, "answer.a_b"),
        ({"a_b": 1, "c": 2, "d": []}, "answer.c"),
        ({"a_b": 1, "d": ["q"]}, "answer.d[0]"),
        ([], "answer"),
        (None, "answer"),
    ],
)
def test_what_is_not_of_the_type_is_refused_with_its_place(data, place):
    with pytest.raises(Mismatch, match=rf"^{place.replace('[', '.').replace(']', '.')} "):
        from_json(RECORD, data)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_json_has_not_is_refused(number):
    with pytest.raises(Mismatch, match="finite"):
        to_json(Scalar("f64"), number)
