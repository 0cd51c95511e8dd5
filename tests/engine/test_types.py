import pytest
from hypothesis import given
from hypothesis import strategies as st

from oriel.engine.inspect import offered_types
from oriel.engine.types import (
    SCALARS,
    Enum,
    Flags,
    Function,
    Handle,
    ListOf,
    Option,
    Record,
    Result,
    Scalar,
    TupleOf,
    Variant,
    from_json,
    function_from_json,
    function_to_json,
    to_json,
)

names = st.lists(st.from_regex(r"[a-z]{1,6}(-[a-z]{1,6})?", fullmatch=True), min_size=1, max_size=4, unique=True)
scalars = st.sampled_from(SCALARS).map(Scalar)
handles = st.builds(Handle, st.sampled_from(["own", "borrow"]), st.sampled_from(["a:b/c.d", "a:b/c.e"]))


def _compound(inner):
    def named(make, value):
        return names.flatmap(
            lambda chosen: st.tuples(*[value] * len(chosen)).map(lambda v: make(tuple(zip(chosen, v, strict=True))))
        )

    return (
        inner.map(ListOf)
        | inner.map(Option)
        | st.lists(inner, min_size=1, max_size=3).map(tuple).map(TupleOf)
        | st.builds(Result, st.none() | inner, st.none() | inner)
        | named(Record, inner)
        | named(Variant, st.none() | inner)
    )


types = st.recursive(
    scalars | names.map(tuple).map(Enum) | names.map(tuple).map(Flags) | handles,
    _compound,
    max_leaves=8,
)


@given(types)
def test_a_type_survives_json(type_):
    assert from_json(to_json(type_)) == type_


@given(types, types)
def test_types_with_the_same_text_are_the_same(one, other):
    assert (str(one) == str(other)) == (one == other)


def test_a_function_survives_json():
    for functions in offered_types().values():
        for function in functions.values():
            assert function_from_json(function_to_json(function)) == function


def test_the_text_of_a_signature():
    entry = Record((("key", Scalar("string")), ("size", Option(Scalar("u32")))))
    function = Function((("keys", ListOf(Scalar("string"))),), Result(ListOf(entry), Variant((("gone", None),))))
    assert str(function) == (
        "func(keys: list<string>) -> result<list<record{key: string, size: option<u32>}>, variant{gone}>"
    )
    assert str(Function((), None)) == "func()"
    assert str(Result(None, None)) == "result<_, _>"


def test_an_unknown_kind_of_type_is_an_error():
    with pytest.raises(ValueError, match="'stream'"):
        from_json({"stream": "u8"})
