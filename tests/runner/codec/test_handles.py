"""Handles: objects of the host's in the hands of a guest."""

import pytest

from oriel.engine.types import Function, Handle
from runner import capi
from runner.codec import Budget, FunctionCodec, Handles, TooManyHandles
from runner.codec.arena import Arena
from runner.codec.handles import MAX_HANDLES, resource_id
from tests.runner.codec.harness import ENGINE

FILE, SOCKET = "a:b/c.file", "a:b/c.socket"


@pytest.fixture
def handles():
    store = capi.store_new(ENGINE.ptr(), None, None)
    yield Handles(capi.store_context(store))
    capi.store_delete(store)


def test_an_own_is_taken_back_once(handles):
    thing = object()
    address = handles.lower(FILE, thing)
    assert len(handles) == 1
    assert handles.take(FILE, address) is thing
    assert len(handles) == 0
    capi.any_delete(address)


def test_a_handle_is_of_the_resource_it_was_given_as(handles):
    address = handles.lower(FILE, object())
    with pytest.raises(TypeError, match=r"expected a handle of a:b/c.socket, not of a:b/c.file"):
        handles.take(SOCKET, address)
    assert len(handles) == 1
    capi.any_delete(address)


def test_a_dropped_handle_finds_nothing(handles):
    address = handles.lower(FILE, object())
    handles.drop(1)
    handles.drop(1)
    with pytest.raises(TypeError, match="not of nothing"):
        handles.take(FILE, address)
    capi.any_delete(address)


def test_a_store_has_a_bounded_number_of_handles(handles):
    arena = Arena(handles)
    for _ in range(MAX_HANDLES):
        arena.own(FILE, None)
    with pytest.raises(TooManyHandles):
        arena.own(FILE, None)
    arena.release()
    assert len(handles) == MAX_HANDLES


def test_each_resource_has_a_number_of_its_own():
    assert resource_id(FILE) == resource_id(FILE) != resource_id(SOCKET)


def test_a_codec_passes_an_object_as_it_is(handles):
    codec = FunctionCodec(Function((("file", Handle("own", FILE)),), None))
    thing, arena = object(), Arena(handles)
    address = codec.lower_params((thing,), arena)
    assert codec.lift_params(address, Budget(0, handles=handles)) == [thing]
    arena.release()


def test_nothing_is_lent_to_a_guest(handles):
    codec = FunctionCodec(Function((("file", Handle("borrow", FILE)),), None))
    with pytest.raises(TypeError, match="can only be given away"):
        codec.lower_params((object(),), Arena(handles))


def test_without_a_table_there_are_no_handles():
    codec = FunctionCodec(Function((("file", Handle("own", FILE)),), None))
    with pytest.raises(TypeError, match="there is no table for a handle"):
        codec.lower_params((object(),), Arena())
