import gc
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oriel.engine.inspect import offered_types
from oriel.engine.types import Enum, Flags, Function, ListOf, Option, Record, Result, Scalar, TupleOf, Variant
from runner.codec import Budget, FunctionCodec, TooLarge, TooLate
from runner.codec.arena import Arena
from tests.runner.codec.harness import Passage
from tests.runner.codec.stock import StockCannot, from_stock, to_stock
from tests.runner.codec.strategies import values

U8, U32, STRING, BOOL = Scalar("u8"), Scalar("u32"), Scalar("string"), Scalar("bool")
ENTRY = Record((("key", STRING), ("time-to-live", Option(U32))))

# Every function of the WIT package, and the kinds of types that it does not use.
FUNCTIONS = {
    f"{interface}.{name}": function for interface, group in offered_types().items() for name, function in group.items()
} | {
    "scalars": Function(
        tuple((f"p{at}", Scalar(name)) for at, name in enumerate(("s8", "s16", "s32", "s64", "f32", "f64", "char"))),
        TupleOf((Scalar("s8"), Scalar("u16"), Scalar("s64"), Scalar("f32"), Scalar("f64"), Scalar("char"), BOOL)),
    ),
    "flags": Function((("f", Flags(("a-one", "b", "c"))),), Flags(tuple(f"f{at}" for at in range(20)))),
    "nested": Function(
        (("x", ListOf(ListOf(Variant((("none", None), ("many", ListOf(TupleOf((U32, ENTRY))))))))),),
        Result(None, Record((("code", Scalar("u16")), ("bytes", ListOf(U8))))),
    ),
    "empty-result": Function((("x", Result(None, None)),), Result(None, None)),
    "lookup": Function((), Result(Option(ENTRY), Enum(("gone", "denied")))),
}


@pytest.fixture(scope="module", params=list(FUNCTIONS))
def case(request):
    function = FUNCTIONS[request.param]
    return function, Passage(function), Passage(function, stock_host=True)


few = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


@few
@given(st.data())
def test_the_codec_agrees_with_the_stock_binding(case, data):
    function, ours, stock = case
    params = [type_ for _, type_ in function.params]
    arguments = data.draw(st.tuples(*map(values, params)))
    answer = data.draw(values(function.result))

    ours.answer = lambda *_: answer
    assert ours.call(*arguments) == answer
    assert ours.seen == list(arguments)

    try:
        stock_answer = to_stock(answer, function.result)
        stock_arguments = [to_stock(value, type_) for value, type_ in zip(arguments, params, strict=True)]
    except StockCannot:
        return
    stock.answer = lambda *_: stock_answer
    assert stock.call(*arguments) == answer
    assert [from_stock(value, type_) for value, type_ in zip(stock.seen, params, strict=True)] == list(arguments)

    returned = ours.stock_call(*stock_arguments)
    assert ours.seen == list(arguments)
    if function.result is not None:
        assert from_stock(returned, function.result) == answer


@pytest.mark.parametrize(
    "answer", [("ok", None), ("ok", {"key": "k", "time_to_live": None}), ("err", "gone"), ("err", "denied")]
)
def test_a_result_of_an_optional_record_or_an_enum_works_both_ways(answer):
    type_ = Result(Option(ENTRY), Enum(("gone", "denied")))
    passage = Passage(Function((("x", type_),), type_))
    passage.answer = lambda value: value
    assert passage.call(answer) == answer


def test_every_byte_crosses_in_bulk():
    passage = Passage(Function((("x", ListOf(U8)),), ListOf(U8)))
    passage.answer = lambda value: value
    data = bytes(range(256)) * 4000
    assert passage.call(data) == data
    assert passage.call(memoryview(data)[:5]) == data[:5]
    assert passage.call(b"") == b""


def _refused(type_, value):
    with pytest.raises(TypeError) as refused:
        FunctionCodec(Function((("x", type_),), None)).lower_params((value,), Arena())
    return str(refused.value)


@pytest.mark.parametrize(
    ("type_", "value", "message"),
    [
        (U8, 256, "argument x: 256 is out of range for u8"),
        (U8, -1, "out of range"),
        (Scalar("s64"), 2**63, "out of range"),
        (U32, 1.0, "expected u32, not float"),
        (U32, None, "expected u32, not NoneType"),
        (BOOL, 1, "expected bool, not int"),
        (Scalar("f32"), 1e300, "out of range for f32"),
        (STRING, b"x", "expected str, not bytes"),
        (STRING, "a\ud800", "lone surrogate at 1"),
        (Scalar("char"), "\ud800", "one character"),
        (Scalar("char"), "ab", "one character"),
        (ListOf(U8), "x", "expected bytes, not str"),
        (ListOf(U8), [1, 2], "expected bytes, not list"),
        (ListOf(STRING), "x", "expected a list, not str"),
        (ListOf(STRING), ["a", 1], "argument x: [1]: expected str, not int"),
        (TupleOf((U8, U8)), (1,), "expected a tuple of 2"),
        (TupleOf((U8, U8)), (1, "a"), "[1]: expected u8"),
        (ENTRY, {"key": "a"}, "expected the fields key, time_to_live; has key"),
        (ENTRY, {"key": "a", "time-to-live": 1}, "has no field 'time_to_live'"),
        (ENTRY, {"key": "a", "time_to_live": 1, "more": 1}, "has key, time_to_live, more"),
        (ENTRY, ("a", 1), "expected a dict, not tuple"),
        (ListOf(ENTRY), [{"key": "a", "time_to_live": -1}], "argument x: [0].time_to_live: -1 is out of range for u32"),
        (Enum(("a", "b")), "c", "'c' is none of a, b"),
        (Enum(("a", "b")), ["a"], "is none of a, b"),
        (Flags(("a", "b")), {"c"}, "is not a set of a, b"),
        (Flags(("a", "b")), ["a"], "is not a set of a, b"),
        (Variant((("a", None), ("b", U8))), "a", "expected a tuple (case, payload)"),
        (Variant((("a", None), ("b", U8))), ("c", None), "has no case 'c', only a, b"),
        (Variant((("a", None), ("b", U8))), ("a", 1), "'a' carries no payload"),
        (Variant((("a", None), ("b", U8))), ("b", None), ".b: expected u8"),
        (Result(U8, STRING), ("oops", 1), "has no case 'oops', only ok, err"),
        (Result(U8, STRING), 1, "expected a tuple (case, payload)"),
        (Option(U8), "x", "expected u8, not str"),
    ],
)
def test_a_value_of_another_type_is_a_type_error_that_names_the_place(type_, value, message):
    assert message in _refused(type_, value)


def test_the_number_of_arguments_must_fit():
    with pytest.raises(TypeError, match="expected 1 arguments, not 2"):
        FunctionCodec(Function((("x", U8),), None)).lower_params((1, 2), Arena())


def test_a_wrong_result_of_a_host_function_is_a_type_error_and_no_crash():
    passage = Passage(Function((), U8))
    passage.answer = lambda: 300
    with pytest.raises(TypeError, match="result: 300 is out of range for u8"):
        passage.call()


def test_a_result_where_there_is_none_is_a_type_error():
    passage = Passage(Function((), None))
    passage.answer = lambda: 1
    with pytest.raises(TypeError, match="without a result"):
        passage.call()


@pytest.mark.parametrize("type_", [Option(Option(U8)), ListOf(Option(Option(STRING)))])
def test_a_type_without_a_codec_is_refused_when_the_codec_is_made(type_):
    with pytest.raises(TypeError, match=r"option|codec"):
        FunctionCodec(Function((("x", type_),), None))
    with pytest.raises(TypeError, match=r"option|codec"):
        FunctionCodec(Function((), type_))


@pytest.mark.parametrize(
    ("type_", "value", "size"),
    [
        (STRING, "é" * 500, 1000),
        (ListOf(U8), bytes(1000), 1000),
        (ListOf(U32), [1] * 10, 320),
        (ENTRY, {"key": "abcd", "time_to_live": 1}, 100),
        (TupleOf((U8, STRING)), (1, "abcd"), 68),
    ],
)
def test_an_answer_is_charged_to_the_byte(type_, value, size):
    passage = Passage(Function((), type_))
    passage.answer = lambda: value
    budget = Budget(size)
    assert passage.call(budget=budget) == value
    assert budget.left == 0
    with pytest.raises(TooLarge):
        passage.call(budget=Budget(size - 1))


def test_unpacking_a_long_list_stops_at_the_deadline():
    passage = Passage(Function((), ListOf(STRING)))
    passage.answer = lambda: [""] * 5000
    with pytest.raises(TooLate):
        passage.call(budget=Budget(10_000_000, deadline=0.0))


def resident() -> int:
    """The process's resident memory in bytes."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_memory_does_not_grow_with_calls():
    type_ = Result(Option(ListOf(ENTRY)), Variant((("a", STRING), ("b", ListOf(U8)))))
    passage = Passage(Function((("x", type_),), type_))
    passage.answer = lambda value: value
    inputs = [
        ("ok", [{"key": "k" * 200, "time_to_live": 7}] * 5),
        ("ok", None),
        ("err", ("a", "text" * 100)),
        ("err", ("b", bytes(1000))),
    ]

    def rounds(count):
        for _ in range(count // 100):
            passage.renew()
            for at in range(100):
                assert passage.call(inputs[at % 4])
        return resident()

    before = rounds(2_000)
    assert rounds(20_000) - before < 1_000_000  # 50 bytes a call


def test_a_refused_answer_does_not_leak():
    passage = Passage(Function((), STRING))
    passage.answer = lambda: "x" * 100_000

    def rounds(count):
        for _ in range(count):
            passage.renew()
            with pytest.raises(TooLarge):
                passage.call(budget=Budget(10))
        return resident()

    before = rounds(50)
    assert rounds(400) - before < 1_000_000  # of 40 MB that were refused


def test_a_refused_argument_does_not_leak():
    passage = Passage(Function((("x", STRING), ("n", U8)), None))

    def rounds(count):
        for _ in range(count):
            with pytest.raises(TypeError):
                passage.call("x" * 100_000, 300)
        return resident()

    before = rounds(50)
    assert rounds(400) - before < 1_000_000
