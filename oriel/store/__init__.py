"""The registry's records and the Protocol they are kept behind."""

from oriel.store.base import Conflict, GuestStore, Store, StoreUnavailable
from oriel.store.opening import open_store

__all__ = ["Conflict", "GuestStore", "Store", "StoreUnavailable", "open_store"]
