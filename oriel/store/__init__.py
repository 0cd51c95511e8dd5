"""The registry's records and the Protocol they are kept behind."""

from oriel.store.base import Conflict, GuestStore, Store, StoreUnavailable

__all__ = ["Conflict", "GuestStore", "Store", "StoreUnavailable"]
