"""Pages that are copied before they are written. A guest is played by writing to the memory of a module."""

import resource

import pytest
import wasmtime

from oriel.engine.config import new_engine
from runner import working_set
from runner.memory import KERNEL_PAGE_BYTES, GuestMemory
from runner.working_set import RUNS_LEARNED, WorkingSet

LIMIT = 64 << 20
IMAGE = (
    '(module (memory (export "memory") 32) (data (i32.const 0) "start")'
    f' (data (i32.const {31 * 65_536}) "end") (func (export "run")))'
)
ALWAYS = (3, 4, 5, 90, 200)
"""Pages that every run writes, counted from the start of the memory."""


@pytest.fixture
def place():
    engine = new_engine(pooled=True)
    return engine, GuestMemory(engine), wasmtime.Module(engine, IMAGE)


class Instance:
    def __init__(self, engine, module):
        self.store = wasmtime.Store(engine)
        self.store.set_epoch_deadline(1)
        self.memory = wasmtime.Instance(self.store, module, []).exports(self.store)["memory"]

    def write(self, pages):
        """The page faults that it takes."""
        before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
        for page in pages:
            self.memory.write(self.store, b"!", page * KERNEL_PAGE_BYTES + 100)
        return resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before

    def contents(self):
        return bytes(self.memory.read(self.store))


def learned(place, *, further=()):
    """A working set after the runs that it learns from; each writes its page of `further` too."""
    engine, memory, module = place
    pages = WorkingSet()
    for at in range(RUNS_LEARNED):
        run = Instance(engine, module)
        run.write((*ALWAYS, *further[at : at + 1]))
        pages.learn(memory, LIMIT)
        run.store.close()
    return pages


def first_page(place):
    engine, memory, module = place
    run = Instance(engine, module)
    run.write([0])
    try:
        return min(memory.written(LIMIT))
    finally:
        run.store.close()


def test_what_was_written_is_known_to_the_page(place):
    engine, memory, module = place
    first = first_page(place)
    run = Instance(engine, module)
    run.write(ALWAYS)
    run.contents()  # reading copies nothing
    assert memory.written(LIMIT) == {first + page for page in ALWAYS}
    run.store.close()


def test_only_pages_that_every_run_writes_are_learned(place):
    first = first_page(place)
    pages = learned(place, further=(7, 8, 9, 10)).pages
    assert pages == ({first + page for page in ALWAYS} if working_set.is_supported() else set())


def test_a_run_finds_the_image_in_its_memory_and_no_faults_on_the_pages_that_were_copied(place):
    engine, _, module = place
    plain = Instance(engine, module)
    image = plain.contents()
    assert plain.write(ALWAYS) == len(ALWAYS)
    plain.store.close()
    pages = learned(place)
    run = Instance(engine, module)
    pages.copy()
    assert run.write(ALWAYS) == (0 if working_set.is_supported() else len(ALWAYS))
    run.store.close()
    run = Instance(engine, module)
    pages.copy()
    assert run.contents() == image
    run.store.close()


def test_nothing_is_done_where_the_kernel_cannot_or_does_not_show_its_pages(place, monkeypatch):
    monkeypatch.setattr(working_set, "is_supported", lambda: False)
    assert not learned(place).pages
    monkeypatch.undo()
    monkeypatch.setattr(GuestMemory, "written", refused)
    pages = learned(place)
    pages.copy()
    assert not pages.pages


def refused(*_):
    raise PermissionError


def test_memory_that_is_not_there_yet_is_left_alone(place):
    engine, _, _ = place
    pages = learned(place)
    small = wasmtime.Module(engine, '(module (memory (export "memory") 2) (data (i32.const 0) "start"))')
    run = Instance(engine, small)
    pages.copy()
    assert len(run.contents()) == 2 * 65_536
    run.store.close()
