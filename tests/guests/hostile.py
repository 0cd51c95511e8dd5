"""The guests that tests run: a few good ones, and those that try to harm their host."""

from tests.guests.build import BYTES, TEXT, guest

ECHO = guest(
    """(call $respond (i32.const 200) (local.get $headers) (local.get $headers_len)
         (local.get $body_case) (local.get $body) (local.get $body_len))"""
)
"""Answers 200 with the request's headers and body."""

HELLO = guest(
    "(call $respond (i32.const 200) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 1024) (i32.const 5))",
    data="hello",
)

LOOP = guest("(loop $again (br $again)) unreachable")

RECURSION = guest(
    "(drop (call $deeper (i32.const 0))) unreachable",
    functions="(func $deeper (param i32) (result i32) (i32.add (call $deeper (local.get 0)) (i32.const 1)))",
)

TRAP = guest("unreachable")

DIVISION_BY_ZERO = guest("(i32.div_u (i32.const 1) (i32.const 0))")

OUT_OF_BOUNDS = guest("(i32.load (i32.const 0x7fffff00))")

MEMORY_HOG = guest(
    """(loop $again
         (br_if $again (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
       unreachable"""
)
"""Grows its memory page by page and crashes when it gets no more, as allocators do."""

MEMORY_MODEST = guest(
    """(loop $again
         (br_if $again (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
       (call $respond (i32.const 200) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))"""
)
"""Takes all the memory there is, and goes on without more."""

TABLE_HOG = guest(
    """(loop $again
         (br_if $again (i32.ne (table.grow $t (ref.null func) (i32.const 1000)) (i32.const -1))))
       (call $respond (i32.const 200) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))""",
    functions="(table $t 1 funcref)",
)

MANY_TABLES = guest("unreachable", functions="(table 1 funcref)" * 40)

LARGE_AT_START = guest("unreachable", pages=4096)
"""Wants 256 MiB before it runs."""

LOG_FLOOD = guest(
    """(loop $again
         (call $log.emit (i32.const 1) (i32.const 1024) (i32.const 5) (i32.const 0) (i32.const 0))
         (br $again)) unreachable""",
    imports=("log.emit",),
    data="flood",
)

LOG_ONCE = guest(
    """(call $log.emit (i32.const 1) (i32.const 1024) (i32.const 5) (i32.const 0) (i32.const 0))
       (call $respond (i32.const 200) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))""",
    imports=("log.emit",),
    data="hello",
)

LOG_LOOP = guest(
    """(call $log.emit (i32.const 1) (i32.const 1024) (i32.const 5) (i32.const 0) (i32.const 0))
       (loop $again (br $again)) unreachable""",
    imports=("log.emit",),
    data="hello",
)

LOG_TRAP = guest(
    """(call $log.emit (i32.const 1) (i32.const 1024) (i32.const 5) (i32.const 0) (i32.const 0)) unreachable""",
    imports=("log.emit",),
    data="hello",
)

LOG_HUGE = guest(
    """(call $log.emit (i32.const 1) (call $alloc (i32.const 20000000)) (i32.const 20000000)
         (i32.const 0) (i32.const 0)) unreachable""",
    imports=("log.emit",),
)
"""Hands 20 MB over in one line."""

CONTEXT_LOOP = guest(
    """(loop $again (drop (call $context.now-ms)) (br $again)) unreachable""",
    imports=("context.now-ms",),
)

BAD_POINTER = guest(
    """(call $respond (i32.const 200) (i32.const 0) (i32.const 0)
         (i32.const 1) (i32.const 0x7ffffff0) (i32.const 64))"""
)
"""Answers with a body that lies outside its memory."""

BAD_UTF8 = guest(
    """(call $respond (i32.const 200) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 1024) (i32.const 2))""",
    data="\\ff\\fe",
)

BAD_CASE = guest(
    """(call $respond (i32.const 200) (i32.const 0) (i32.const 0) (i32.const 9) (i32.const 0) (i32.const 0))"""
)
"""Answers with a body of a case that there is not."""


def status(code: int) -> bytes:
    """Answers with this status."""
    return guest(
        f"(call $respond (i32.const {code}) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))"
    )


def header(name: str, value: str) -> bytes:
    """Answers with one header; any characters."""
    raw_name, raw_value = name.encode(), value.encode()
    escaped = "".join(f"\\{byte:02x}" for byte in raw_name + raw_value)
    return guest(
        f"""(i32.store (i32.const 256) (i32.const 1024)) (i32.store (i32.const 260) (i32.const {len(raw_name)}))
            (i32.store (i32.const 264) (i32.const {1024 + len(raw_name)}))
            (i32.store (i32.const 268) (i32.const {len(raw_value)}))
            (call $respond (i32.const 200) (i32.const 256) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0))""",
        data=escaped,
    )


def big_body(size: int, case: int = TEXT) -> bytes:
    """Answers with `size` bytes of zeros, as text, bytes or a binary string."""
    return guest(
        f"""(call $respond (i32.const 200) (i32.const 0) (i32.const 0) (i32.const {case})
              (call $alloc (i32.const {size})) (i32.const {size}))"""
    )


def many_headers(count: int) -> bytes:
    """Answers with `count` empty headers."""
    return guest(
        f"""(call $respond (i32.const 200) (call $alloc (i32.const {count * 16})) (i32.const {count})
              (i32.const 0) (i32.const 0) (i32.const 0))"""
    )


def too_many_bytes() -> bytes:
    """Answers with more bytes than the engine itself carries in a list."""
    return big_body(5_000_000, BYTES)
