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

CONFIG_LOOP = guest(
    "(loop $again (call $context.config (i32.const 1024) (i32.const 1) (i32.const 128)) (br $again)) unreachable",
    imports=("context.config",),
    data="k",
)

LOGS_A_LOT = guest(
    """(local.set $n (i32.const 5000))
       (loop $again
         (call $log.emit (i32.const 1) (i32.const 1024) (i32.const 5) (i32.const 0) (i32.const 0))
         (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
       (call $respond (i32.const 200) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))""",
    imports=("log.emit",),
    data="flood",
)

FULL_WHEN_CALLED = guest(
    """(loop $grow (br_if $grow (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
       (loop $fill
         (local.set $p (call $alloc (i32.const 4096)))
         (br_if $fill (i32.lt_u (i32.add (local.get $p) (i32.const 8192)) (i32.mul (memory.size) (i32.const 65536)))))
       (call $context.config (i32.const 1024) (i32.const 1) (i32.const 128))
       (call $respond (i32.const 200) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))""",
    imports=("context.config",),
    data="k",
)
"""Fills its memory and then asks for a setting `k`: the allocator that the host calls for the answer traps."""

NOWHERE_TO_ANSWER = guest(
    "(call $context.config (i32.const 1024) (i32.const 1) (i32.const 0x7fffff00)) unreachable",
    imports=("context.config",),
    data="k",
)
"""Asks for an answer outside its memory."""

BAD_ARGUMENT = guest(
    "(call $log.emit (i32.const 1) (i32.const 0x7fffff00) (i32.const 9) (i32.const 0) (i32.const 0)) unreachable",
    imports=("log.emit",),
)
"""Hands over a string that lies outside its memory."""

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


def telling(call: str, imported: str, payload: int, data: str = "k") -> bytes:
    """Makes a call whose result stands at 128. Answers 200, or 400 and more: the case of the error at `payload`."""
    return guest(
        f"""{call} (call $respond
             (if (result i32) (i32.load8_u (i32.const 128))
               (then (i32.add (i32.const 400) (i32.load8_u (i32.const {payload})))) (else (i32.const 200)))
             (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))""",
        imports=(imported,),
        data=data,
    )


ASKS_FOR_THE_USER = telling("(call $user.get (i32.const 128))", "user.get", 132)

READS_STORAGE = telling("(call $storage.get (i32.const 1024) (i32.const 1) (i32.const 128))", "storage.get", 136)


IMPORTS_STORAGE = guest(
    "(call $respond (i32.const 200) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))",
    imports=("storage.get", "storage.put", "http.fetch", "secrets.get"),
)
"""Imports what needs a grant and calls none of it."""


def puts(key: bytes, value_size: int = 1) -> bytes:
    """Writes zeros under `key`; answers 200, 402 where the arguments are invalid, 403 where they are over a limit."""
    return telling(
        f"""(call $storage.put (i32.const 1024) (i32.const {len(key)})
              (i32.const {BYTES}) (call $alloc (i32.const {value_size})) (i32.const {value_size})
              (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 128))""",
        "storage.put",
        136,
        "".join(f"\\{byte:02x}" for byte in key),
    )


def fetches(url: str) -> bytes:
    """Sends `GET` to a URL, with no options; answers 200, or 400 and more."""
    size = len(url)
    return telling(
        f"""(call $http.fetch (i32.const {1024 + size}) (i32.const 3) (i32.const 1024) (i32.const {size})
              (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
              (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 128))""",
        "http.fetch",
        132,
        url + "GET",
    )


def many_inside(module: str, count: int = 250) -> bytes:
    """Makes `count` instances of a core module, which is called `$x`, beside its own."""
    return guest("unreachable", beside=module + " (core instance (instantiate $x))" * count)


MANY_MEMORIES = many_inside("(core module $x (memory 1))")

MANY_INSTANCES = many_inside("(core module $x)")


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
    """Answers with `size` bytes of zeros, as text, bytes or what should be base64."""
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
