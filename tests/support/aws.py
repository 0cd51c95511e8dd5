"""AWS on loopback: one moto server for the whole run, and keys that open nothing."""

import uuid
from functools import cache

from moto.server import ThreadedMotoServer

from oriel.aws import Credentials, Target
from oriel.aws.botocore_client import make_client
from oriel.store.dynamodb import DynamoStore, table
from oriel.store.dynamodb.requests import Requests
from tests.support.moto_dynamodb import inside

CREDENTIALS = Credentials("testing", "testing")
REGION = "eu-central-1"
HOST = "127.0.0.1"  # where the server listens; containers reach it by another address (tools/sam_local.py)


@cache
def moto_endpoint() -> str:
    """Where the server is. It starts with the first test that asks, and its thread ends with the process."""
    server = ThreadedMotoServer(HOST, port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    return f"http://{host}:{port}"


def target(name: str) -> Target:
    return Target(name, REGION, moto_endpoint())


@cache
def dynamodb_client():
    """A client of moto's DynamoDB that takes no way over HTTP."""
    return inside(Target("table", REGION), CREDENTIALS)


def new_table() -> str:
    """A table of its own, by its name."""
    name = f"oriel-{uuid.uuid4().hex}"
    table.create(dynamodb_client(), name)
    return name


def open_dynamodb(name, clock):
    return DynamoStore(Requests(dynamodb_client(), name), clock)


@cache
def s3_client():
    return make_client("s3", target("bucket"), CREDENTIALS, read_seconds=10, s3={"addressing_style": "path"})


def new_bucket() -> str:
    """A bucket of its own, by its name."""
    name = f"oriel-{uuid.uuid4().hex}"
    s3_client().create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return name
