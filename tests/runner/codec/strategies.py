"""Values of a WIT type, as the codec has them."""

import struct

from hypothesis import strategies as st

from oriel.engine import types

RANGES = {
    **{f"u{bits}": (0, 2**bits - 1) for bits in (8, 16, 32, 64)},
    **{f"s{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)},
}
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def values(type_):  # noqa: C901, PLR0911, PLR0912 - one return for each kind of type
    match type_:
        case None:
            return st.none()
        case types.Scalar(name) if name in RANGES:
            return st.integers(*RANGES[name])
        case types.Scalar("bool"):
            return st.booleans()
        case types.Scalar("f64"):
            return st.floats(allow_nan=False)
        case types.Scalar("f32"):
            return st.floats(width=32, allow_nan=False).map(lambda x: struct.unpack("f", struct.pack("f", x))[0])
        case types.Scalar("char"):
            return st.characters(exclude_categories=["Cs"])
        case types.Scalar("string"):
            return text
        case types.ListOf(types.Scalar("u8")):
            return st.binary(max_size=200)
        case types.ListOf(element):
            return st.lists(values(element), max_size=4)
        case types.TupleOf(elements):
            return st.tuples(*map(values, elements))
        case types.Record(fields):
            return st.fixed_dictionaries({name.replace("-", "_"): values(field) for name, field in fields})
        case types.Variant(cases):
            return st.one_of([st.tuples(st.just(name), values(case)) for name, case in cases])
        case types.Result(ok, err):
            return st.tuples(st.just("ok"), values(ok)) | st.tuples(st.just("err"), values(err))
        case types.Option(some):
            return st.none() | values(some)
        case types.Enum(names):
            return st.sampled_from(names)
        case types.Flags(names):
            return st.frozensets(st.sampled_from(names))
    raise TypeError(str(type_))
