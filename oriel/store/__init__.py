"""The registry's records and the Protocol they are kept behind."""

from typing import TYPE_CHECKING

from oriel.lazy import exports

if TYPE_CHECKING:
    from oriel.store.base import Store
    from oriel.store.errors import Conflict, StoreUnavailable
    from oriel.store.guests import GuestStore
    from oriel.store.opening import open_store

__all__ = ["Conflict", "GuestStore", "Store", "StoreUnavailable", "open_store"]

__getattr__ = exports(
    __name__,
    {
        "base": "Store",
        "errors": "Conflict StoreUnavailable",
        "guests": "GuestStore",
        "opening": "open_store",
    },
)
