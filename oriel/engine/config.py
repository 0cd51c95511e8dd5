"""The one configuration of the WebAssembly engine, and its fingerprint.

Rules kept here:

- Whoever compiles and whoever runs calls `new_engine`: an artifact loads only under the version, target and
  configuration it was compiled for.
- The target is stated, and with it the CPU features that may be used: an artifact compiled on one machine loads on
  every machine of its architecture that is not older than the baseline.
- What guests do not need is off: threads, async, streams, garbage collection, exceptions, several memories. Each is
  code that strangers would reach, and together they cost a tenth of the speed.
- Epochs are always on: no guest runs without a deadline. Fuel is another configuration, and so another fingerprint.
"""

import hashlib
import platform
import struct
from functools import lru_cache

import wasmtime
from wasmtime import _ffi as ffi
from wasmtime.component import Component

# x86-64-v2, which every x86 server CPU since 2010 has; Armv8.0-A has no further feature to name.
BASELINE_FEATURES = {
    "x86_64": ("has_sse3", "has_ssse3", "has_sse41", "has_sse42", "has_popcnt"),
    "aarch64": (),
}

# Room for the recursion of an interpreter inside a guest; the threads that run guests need some more than this.
WASM_STACK_BYTES = 1024 * 1024

# What one execution may allocate beside its memory, of which it may have one: that makes the limit on a memory's size
# the limit of the execution. What the usual toolchains build has one memory; a Python guest needs about 40 instances.
MAX_MEMORIES = 1
MAX_INSTANCES = 200
MAX_TABLES = 20
MAX_TABLE_ELEMENTS = 200_000

_POOL = {
    "total_component_instances": 1,
    "total_core_instances": MAX_INSTANCES,
    "total_memories": MAX_MEMORIES,
    "total_tables": MAX_TABLES,
    "total_stacks": 1,
    "total_gc_heaps": 0,
    "max_core_instances_per_component": MAX_INSTANCES,
    "max_memories_per_component": MAX_MEMORIES,
    "max_tables_per_component": MAX_TABLES,
    "max_memories_per_module": MAX_MEMORIES,
    "max_tables_per_module": MAX_TABLES,
    "table_elements": MAX_TABLE_ELEMENTS,
    "max_core_instance_size": 1 << 20,
    "max_component_instance_size": 1 << 20,
    "table_keep_resident": 1 << 20,
}

_OFF = (
    "wasm_threads",
    "shared_memory",
    "wasm_memory64",
    "wasm_multi_memory",
    "wasm_relaxed_simd",
    "wasm_function_references",
    "wasm_gc",
    "gc_support",
    "wasm_exceptions",
    "wasm_wide_arithmetic",
    "wasm_custom_page_sizes",
    "wasm_stack_switching",
    "wasm_component_model_map",
    "native_unwind_info",
)


def target_triple() -> str:
    """The target that artifacts are compiled for on this machine's architecture."""
    return f"{_machine()}-unknown-linux-gnu"


def new_engine(*, fuel: bool = False, pooled: bool = False, resident_bytes: int = 0) -> wasmtime.Engine:
    """A new engine with Oriel's configuration; a process wants one of each kind.

    Args:
        fuel: count instructions, so that a run can be given an exact allowance. Interpreters inside guests run about
            a fifth slower; artifacts are of another fingerprint.
        pooled: keep room for one instance, and use it again and again. Only for whoever runs guests: it takes
            address space, and artifacts are the same (`docs/decisions/0001-pooling-allocator.md`).
        resident_bytes: linear memory of a pool that is written over at the end of an execution and not given back. It
            saves page faults, in which the threads of a process wait for each other, and costs the writing.
    """
    config = wasmtime.Config()
    config.target = target_triple()
    for feature in BASELINE_FEATURES[_machine()]:
        config.cranelift_flag_enable(feature)
    for feature in _OFF:
        setattr(config, feature, False)
    # The binding has no setter for these two.
    ffi.wasmtime_config_wasm_component_model_async_set(config.ptr(), False)
    ffi.wasmtime_config_concurrency_support_set(config.ptr(), False)
    config.epoch_interruption = True
    config.consume_fuel = fuel
    config.max_wasm_stack = WASM_STACK_BYTES
    if pooled:
        _pool(config, resident_bytes)
    return wasmtime.Engine(config)


def _pool(config: wasmtime.Config, resident_bytes: int) -> None:
    """Choose the pooling allocator; the binding has no setters for it."""
    pool = ffi.wasmtime_pooling_allocation_config_new()
    for name, value in {**_POOL, "linear_memory_keep_resident": resident_bytes}.items():
        getattr(ffi, f"wasmtime_pooling_allocation_config_{name}_set")(pool, value)
    ffi.wasmtime_pooling_allocation_strategy_set(config.ptr(), pool)
    ffi.wasmtime_pooling_allocation_config_delete(pool)


def fingerprint(engine: wasmtime.Engine) -> str:
    """64 hex digits that name the engine's version, target and configuration.

    An artifact carries exactly this in its `.wasmtime.engine` section, and the engine compares it on loading.
    """
    artifact = bytes(Component(engine, "(component)").serialize())
    return hashlib.sha256(_elf_section(artifact, b".wasmtime.engine")).hexdigest()


@lru_cache(maxsize=2)
def current_fingerprint(*, fuel: bool = False) -> str:
    """The fingerprint of the artifacts that this process can make and run."""
    return fingerprint(new_engine(fuel=fuel))


def _machine() -> str:
    machine = {"AMD64": "x86_64", "arm64": "aarch64"}.get(platform.machine(), platform.machine())
    if machine not in BASELINE_FEATURES:
        raise RuntimeError(f"no engine for the architecture {machine!r}: only {', '.join(BASELINE_FEATURES)}")
    return machine


def _elf_section(elf: bytes, wanted: bytes) -> bytes:
    """A section's content, by name (ELF-64, little endian; System V ABI, chapter 4)."""
    (table,) = struct.unpack_from("<Q", elf, 0x28)
    entry_size, count, names_index = struct.unpack_from("<HHH", elf, 0x3A)
    headers = [struct.unpack_from("<IIQQQQ", elf, table + index * entry_size) for index in range(count)]
    names = headers[names_index][4]
    for name, _type, _flags, _address, offset, size in headers:
        start = names + name
        if elf[start : elf.index(b"\0", start)] == wanted:
            return elf[offset : offset + size]
    raise RuntimeError(f"the engine's artifact has no section {wanted.decode()}")
