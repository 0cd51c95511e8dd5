"""AWS on loopback: one moto server for the whole run, and keys that open nothing."""

import threading
import uuid
from functools import cache

from moto.server import ThreadedMotoServer

from oriel.aws import Credentials, Target
from oriel.aws.botocore_client import make_client
from oriel.aws.services import JsonClient
from oriel.store.dynamodb import DynamoStore, table
from oriel.store.dynamodb.requests import Requests

CREDENTIALS = Credentials("testing", "testing")
REGION = "eu-central-1"


@cache
def moto_endpoint() -> str:
    """Where the server is. It starts with the first test that asks, and its thread ends with the process."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    return f"http://{host}:{port}"


def target(name: str) -> Target:
    return Target(name, REGION, moto_endpoint())


@cache
def dynamodb_client():
    return JsonClient("dynamodb", target("table"), CREDENTIALS, read_seconds=10)


def new_table() -> str:
    """A table of its own, by its name."""
    name = f"oriel-{uuid.uuid4().hex}"
    table.create(dynamodb_client(), name)
    return name


class OneAtATime:
    """A client whose requests wait for each other: moto puts the whole table back where a transaction fails."""

    _lock = threading.Lock()

    def __init__(self, client):
        self._client = client

    def __getattr__(self, operation):
        method = getattr(self._client, operation)

        def one_at_a_time(**asked):
            with self._lock:
                return method(**asked)

        return one_at_a_time


def open_dynamodb(name, clock):
    client = OneAtATime(JsonClient("dynamodb", target(name), CREDENTIALS, read_seconds=10))
    return DynamoStore(Requests(client, name), clock)


@cache
def s3_client():
    return make_client("s3", target("bucket"), CREDENTIALS, read_seconds=10, s3={"addressing_style": "path"})


def new_bucket() -> str:
    """A bucket of its own, by its name."""
    name = f"oriel-{uuid.uuid4().hex}"
    s3_client().create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return name
