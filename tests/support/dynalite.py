"""A second opinion on DynamoDB: dynalite, another implementation of it, with transactions put on top.

dynalite knows every request the store makes but `TransactWriteItems` (and has no TTL). `Transactions` makes one of
single requests, which is undone where a condition fails: so its writes and conditions are judged by dynalite, while
that nobody sees the half of it is kept by a lock in this process.

The package is pinned by the lock beside `serve.mjs` and installed once into the cache.
"""

import atexit
import hashlib
import subprocess
import threading
import time
import uuid
from functools import cache
from pathlib import Path

from oriel.aws import Target
from oriel.aws.services import JsonClient, Refused
from oriel.build.toolchain import find_node, install_packages
from oriel.build.tools import cache_dir
from oriel.store.dynamodb import DynamoStore, table
from oriel.store.dynamodb.requests import Requests
from tests.support.aws import CREDENTIALS, REGION
from tests.support.flaky import refused

HERE = Path(__file__).parent / "dynalite_server"
FILES = ("package.json", "package-lock.json", "serve.mjs")
FAILED = "ConditionalCheckFailed"


def installed() -> Path:
    """Where the server is; installed now where it is not there. `OrielError` where Node.js is missing."""
    digest = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in FILES)).hexdigest()[:16]
    home = cache_dir() / f"dynalite-{digest}"
    if not home.is_dir():
        install_packages(home, HERE, FILES, find_node(), "npm could not install dynalite")
    return home


@cache
def client():
    """A client of the one server of this process."""
    command = [find_node().node, installed() / "serve.mjs"]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(server.communicate)  # closes its standard input, at which it ends
    target = Target("table", REGION, f"http://127.0.0.1:{int(server.stdout.readline())}")
    return Transactions(JsonClient("dynamodb", target, CREDENTIALS, read_seconds=10))


def open_dynalite(name, clock):
    return DynamoStore(Requests(client(), name), clock)


def new_table() -> str:
    """A table of its own, by its name."""
    name = f"oriel-{uuid.uuid4().hex}"
    definition = {key: value for key, value in table.PROPERTIES.items() if key != "TimeToLiveSpecification"}
    client().create_table(TableName=name, **definition)
    while client().describe_table(TableName=name)["Table"]["TableStatus"] != "ACTIVE":
        time.sleep(0.01)
    return name


class Transactions:
    """A client with `transact_write_items`, whose other requests wait while one is carried out."""

    def __init__(self, client):
        self._client, self._lock = client, threading.RLock()

    def __getattr__(self, operation):
        method = getattr(self._client, operation)

        def one_at_a_time(**asked):
            with self._lock:
                return method(**asked)

        return one_at_a_time

    def close(self):
        """The client is everybody's."""

    def transact_write_items(self, TransactItems, ClientRequestToken):  # noqa: N803 - the client's own names
        del ClientRequestToken
        writes = [next(iter(item.items())) for item in TransactItems]
        with self._lock:
            before = [self._item(kind, write) for kind, write in writes]
            failed = [not self._carried_out(kind, write) for kind, write in writes]
            if any(failed):
                for (_, write), item in zip(writes, before, strict=True):
                    self._restore(write, item)
                reasons = [{"Code": FAILED if bad else "None"} for bad in failed]
                raise refused("TransactionCanceledException", CancellationReasons=reasons)

    def _item(self, kind, write):
        key = {name: write["Item"][name] for name in ("pk", "sk")} if kind == "Put" else write["Key"]
        found = self._client.get_item(TableName=write["TableName"], Key=key, ConsistentRead=True)
        return key, found.get("Item")

    def _carried_out(self, kind, write):
        send = {"Put": "put_item", "Delete": "delete_item", "Update": "update_item", "ConditionCheck": "update_item"}
        try:
            getattr(self._client, send[kind])(**write)
        except Refused as error:
            if error.code != f"{FAILED}Exception":
                raise
            return False
        return True

    def _restore(self, write, before):
        key, item = before
        if item is None:
            self._client.delete_item(TableName=write["TableName"], Key=key)
        else:
            self._client.put_item(TableName=write["TableName"], Item=item)
