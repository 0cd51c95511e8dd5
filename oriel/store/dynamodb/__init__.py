"""The store in one DynamoDB table. docs/reference/dynamodb.md has every method's requests and what they cost."""

from collections.abc import Callable
from typing import Self

from oriel.aws import Credentials, Target
from oriel.aws.services import JsonClient
from oriel.clock import now_ms
from oriel.store.dynamodb.events import DynamoEvents
from oriel.store.dynamodb.executions import DynamoExecutions
from oriel.store.dynamodb.fixtures import DynamoFixtures
from oriel.store.dynamodb.guests import DynamoGuests
from oriel.store.dynamodb.policy import DynamoPolicy
from oriel.store.dynamodb.publishing import DynamoPublishing
from oriel.store.dynamodb.requests import Requests
from oriel.store.dynamodb.rollouts import DynamoRollouts
from oriel.store.dynamodb.safety import DynamoSafety
from oriel.store.dynamodb.schedules import DynamoSchedules
from oriel.store.dynamodb.usage import DynamoUsage

READ_SECONDS = 3


class DynamoStore(
    DynamoPublishing,
    DynamoRollouts,
    DynamoPolicy,
    DynamoSafety,
    DynamoExecutions,
    DynamoUsage,
    DynamoFixtures,
    DynamoGuests,
    DynamoEvents,
    DynamoSchedules,
):
    """The whole `oriel.store.Store`. Safe to share between threads; not across a fork."""

    @classmethod
    def at(cls, target: Target, credentials: Credentials | None = None, clock: Callable[[], int] = now_ms) -> Self:
        """The store in the table `target`, which is there: the deployment makes it. Nothing is sent yet."""
        client = JsonClient("dynamodb", target, credentials, read_seconds=READ_SECONDS)
        return cls(Requests(client, target.name), clock)
