"""moto's DynamoDB, asked without a socket, and two ways around what makes it slow.

Rules kept here:

- Whoever asks is the platform's own client, with all that it does but for the socket: it signs, writes JSON, and reads
  what comes back. The same tables are there for whoever asks moto's server over HTTP.
- moto copies the whole table for every write of a transaction, to put it back where a condition fails. What can change
  is what the writes name: so much is copied, once for a transaction.
- Requests wait for each other: moto puts the whole table back, with what others wrote meanwhile.
"""

import copy
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.request import Request
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler

from oriel.aws import Credentials, Target
from oriel.aws.services import JsonClient


class Inside:
    """What a `JsonClient` sends by: `oriel.connections.Connections` to moto in this process."""

    host = "dynamodb.moto"
    _turn = threading.Lock()

    @contextmanager
    def request(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes = b"", *, seconds: float | None = None
    ) -> Iterator[SimpleNamespace]:
        del seconds  # it answers at once
        asked = Request.from_primitives(method, f"http://{self.host}{target}", headers, body)
        with self._turn:
            status, given, content = DynamoHandler.dispatch(asked, asked.raw_url, asked.headers)
        raw = content.encode() if isinstance(content, str) else content
        lower = {name.lower(): value for name, value in given.items()}
        yield SimpleNamespace(status=int(status), headers=lower, read=lambda: raw)

    def close(self) -> None:
        """There is nothing to close."""


def inside(target: Target, credentials: Credentials) -> JsonClient:
    client = JsonClient("dynamodb", target, credentials)
    client.connections = Inside()
    return client


class Snapshot:
    """The items of a table as they are now, to be put into others."""

    def __init__(self, region: str, name: str) -> None:
        self._region = region
        self._items = copy.deepcopy(_table(region, name).items)

    def put(self, name: str) -> None:
        """Let the table have these items and no other."""
        _table(self._region, name).items = copy.deepcopy(self._items)


def items(region: str, name: str) -> list[dict[str, Any]]:
    """Every item of a table, in no order."""
    partitions = _table(region, name).items.values()
    return [item.to_json()["Attributes"] for partition in partitions for item in partition.values()]


def _table(region: str, name: str) -> Table:
    return dynamodb_backends[DEFAULT_ACCOUNT_ID][region].tables[name]


class _Named(threading.local):
    """The keys that the transaction of this thread writes to, by table, and the tables as they were before it."""

    def __init__(self) -> None:
        self.keys: Mapping[str, list[tuple[DynamoType, DynamoType]]] = {}
        self.before: dict[str, Table] = {}


_named = _Named()
_transact = DynamoDBBackend.transact_write_items


def _transact_sparingly(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    keys = defaultdict(list)
    for write in (next(iter(item.values())) for item in transact_items):
        key = write.get("Item") or write["Key"]
        keys[write["TableName"]].append((DynamoType(key["pk"]), DynamoType(key["sk"])))
    _named.keys, _named.before = keys, {}
    try:
        _transact(backend, transact_items)
    finally:
        _named.keys, _named.before = {}, {}


def _copied(table: Table, _memo: object) -> Table:
    if table.name not in _named.before:
        kept = copy.copy(table)
        kept.items = defaultdict(dict, {hash_key: dict(partition) for hash_key, partition in table.items.items()})
        for hash_key, range_key in _named.keys[table.name]:
            if range_key in kept.items[hash_key]:
                kept.items[hash_key][range_key] = copy.deepcopy(kept.items[hash_key][range_key])
        _named.before[table.name] = kept
    return _named.before[table.name]


DynamoDBBackend.transact_write_items = _transact_sparingly
Table.__deepcopy__ = _copied
