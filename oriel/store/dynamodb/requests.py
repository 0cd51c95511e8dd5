"""Requests to DynamoDB: what they may answer, and what is done when they do not.

Rules kept here:

- A throttled or lost request is sent again, a bounded number of times; then it is `StoreUnavailable`.
- A lost answer does no harm. A transaction carries a token by which DynamoDB knows it again (for ten minutes); a
  single write whose condition fails on a second attempt is looked at: if what is stored is what was sent, it is ours.
- Reads are strongly consistent. No request scans.
- What DynamoDB calls invalid is a fault of ours and is not dressed up as an outage.
"""

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeAlias, TypeVar, cast

from msgspec import Struct, field

from oriel.aws import Again, persist
from oriel.aws.services import JsonClient, NoAnswer, Refused
from oriel.errors import OrielError
from oriel.store.dynamodb.items import Item, Value, item_bytes, key_item, key_of
from oriel.store.dynamodb.table import MAX_SORT_BYTES, SORT, Key
from oriel.store.errors import StoreUnavailable

MAX_BATCH_GET = 100
MAX_BATCH_WRITE = 25
MAX_TRANSACTION = 100
MAX_TRANSACTION_BYTES = 4 * 1024 * 1024
Answer: TypeAlias = dict[str, Any]
T = TypeVar("T")

_THROTTLED = {
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "TransactionConflictException",
    "LimitExceededException",
}
_AMBIGUOUS = {"InternalServerError", "InternalFailure", "ServiceUnavailable", "TransactionInProgressException"}
_CONDITION = "ConditionalCheckFailed"


class Expression(Struct, frozen=True):
    """A condition or an update: its text, the names behind `#name`, and the values behind `:name`."""

    text: str
    names: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Value] = field(default_factory=dict)


def expression(text: str, names: Sequence[str] = (), /, **values: Value) -> Expression:
    """`#name` stands for each of `names`: many of DynamoDB's words are reserved."""
    return Expression(text, {f"#{name}": name for name in names}, {f":{name}": value for name, value in values.items()})


ABSENT = expression("attribute_not_exists(pk)")
PRESENT = expression("attribute_exists(pk)")


class ConditionFailed(Exception):
    """What was to be written is not as the condition says."""


class Cancelled(Exception):
    """A transaction was not carried out; `failed` has the places of the writes whose conditions do not hold."""

    def __init__(self, failed: Sequence[int]) -> None:
        self.failed = tuple(failed)
        super().__init__(f"conditions of the writes {failed} failed")


class Requests:
    """The requests the store is made of, to one table."""

    def __init__(self, client: JsonClient, table: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client, self._table, self._sleep = client, table, sleep

    def close(self) -> None:
        self._client.close()

    # reads

    def get(self, key: Key) -> Item | None:
        if not _possible(key):
            return None
        answer = self._send("get_item", Key=key_item(key), ConsistentRead=True)
        return cast("Item | None", answer.get("Item"))

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Item]:
        """The items that are there."""
        wanted = [key_item(key) for key in dict.fromkeys(keys) if _possible(key)]
        found: dict[Key, Item] = {}
        for start in range(0, len(wanted), MAX_BATCH_GET):
            self._get_batch(wanted[start : start + MAX_BATCH_GET], found)
        return found

    def _get_batch(self, pending: list[Item], found: dict[Key, Item]) -> None:
        """DynamoDB may leave some for a next request, for their size or because it is busy."""

        def attempt(_: bool) -> None:
            nonlocal pending
            while pending:
                asked = {self._table: {"Keys": pending, "ConsistentRead": True}}
                answer = self._once("batch_get_item", RequestItems=asked)
                items = answer["Responses"].get(self._table, [])
                found.update({key_of(item): item for item in items})
                pending = answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
                if pending and not items:
                    raise Again("none of a batch was read", ambiguous=False)

        self._persist(attempt)

    def query(
        self,
        partition: str,
        *,
        begins: str = "",
        between: tuple[str, str] | None = None,
        after: str | None = None,
        descending: bool = False,
        page: int | None = None,
        only: Expression | None = None,
        keys: bool = False,
    ) -> Iterator[Item]:
        """The items of a partition in the order of their sort keys, read as they are taken.

        Args:
            begins: what their sort keys begin with. between: the first and the last sort key.
            after: the sort key to go on after; it must be in the range.
            page: how many to read at a time. only: a filter; what it leaves out is read and paid for.
            keys: the items' keys are enough.
        """
        for items, _ in self.pages(
            partition,
            begins=begins,
            between=between,
            after=after,
            descending=descending,
            page=page,
            only=only,
            keys=keys,
        ):
            yield from items

    def pages(
        self,
        partition: str,
        *,
        begins: str = "",
        between: tuple[str, str] | None = None,
        after: str | None = None,
        descending: bool = False,
        page: int | None = None,
        only: Expression | None = None,
        keys: bool = False,
    ) -> Iterator[tuple[list[Item], str | None]]:
        """The same, request by request: what each one gave, and the sort key it came to; None at the end."""
        values: dict[str, Value] = {":pk": {"S": partition}}
        condition = "pk = :pk"
        if begins:
            condition, values[":begins"] = f"{condition} AND begins_with(sk, :begins)", {"S": begins}
        if between is not None:
            condition += " AND sk BETWEEN :low AND :high"
            values |= {":low": {"S": between[0]}, ":high": {"S": between[1]}}
        asked: Answer = {"KeyConditionExpression": condition, "ScanIndexForward": not descending}
        asked |= {"ConsistentRead": True} | ({"Limit": page} if page else {})
        asked |= {"ProjectionExpression": "pk, sk"} if keys else {}
        asked |= _given(only, "FilterExpression", values)
        if after is not None:
            asked["ExclusiveStartKey"] = key_item(Key(partition, after))
        while True:
            answer = self._send("query", **asked)
            following = answer.get("LastEvaluatedKey")
            yield answer["Items"], following and following[SORT]["S"]
            if following is None:
                return
            asked["ExclusiveStartKey"] = following

    # writes

    def put(self, item: Item, condition: Expression | None = None) -> None:
        """Raises `ConditionFailed`."""
        asked: Answer = {"Item": item, **_given(condition, "ConditionExpression")}

        def attempt(again: bool) -> None:
            try:
                self._once("put_item", **asked)
            except ConditionFailed:
                if not (again and self.get(key_of(item)) == item):
                    raise

        self._persist(attempt)

    def update(self, key: Key, change: Expression, condition: Expression) -> Item:
        """What was changed, as it is now. Raises `ConditionFailed`. Where the answer is lost, it is done again."""
        answer = self._send("update_item", **_update(key, change, condition), ReturnValues="UPDATED_NEW")
        return cast("Item", answer["Attributes"])

    def delete(self, key: Key, condition: Expression | None = None) -> bool:
        """Whether there was one. Raises `ConditionFailed`.

        Where an earlier attempt's answer was lost and the item is gone, that attempt is taken to have deleted it.
        """
        asked: Answer = {"Key": key_item(key), "ReturnValues": "ALL_OLD", **_given(condition, "ConditionExpression")}

        def attempt(again: bool) -> bool:
            try:
                return "Attributes" in self._once("delete_item", **asked) or again
            except ConditionFailed:
                if again and self.get(key) is None:
                    return True
                raise

        return _possible(key) and self._persist(attempt)

    def delete_many(self, keys: Iterable[Key]) -> None:
        """Without conditions; repeating it does no harm."""
        rest = iter(keys)
        while batch := [{"DeleteRequest": {"Key": key_item(key)}} for key in islice(rest, MAX_BATCH_WRITE)]:
            self._delete_batch(batch)

    def _delete_batch(self, pending: list[Answer]) -> None:
        def attempt(_: bool) -> None:
            nonlocal pending
            answer = self._once("batch_write_item", RequestItems={self._table: pending})
            pending = answer.get("UnprocessedItems", {}).get(self._table, [])
            if pending:
                raise Again("a part of a batch was not deleted", ambiguous=False)

        self._persist(attempt)

    def transact(self, *writes: Answer) -> None:
        """Carry out all of them or none: at most 100, of 4 MB in all. Raises `Cancelled`.

        Raises:
            OrielError: `invalid_input`, where they are larger.
        """
        size = sum(item_bytes(write["Put"]["Item"]) for write in writes if "Put" in write)
        if size > MAX_TRANSACTION_BYTES or len(writes) > MAX_TRANSACTION:
            limits = f"DynamoDB takes {MAX_TRANSACTION_BYTES:,} and {MAX_TRANSACTION} at once"
            raise OrielError("invalid_input", f"The records take {size:,} bytes and {len(writes)} writes; {limits}.")
        items = [{kind: {"TableName": self._table, **write}} for entry in writes for kind, write in entry.items()]
        self._send("transact_write_items", TransactItems=items, ClientRequestToken=str(uuid.uuid4()))

    def pause(self, seconds: float) -> None:
        """Before trying again what another writer came between."""
        self._sleep(seconds)

    # the way out

    def _send(self, operation: str, **asked: Any) -> Answer:
        return self._persist(lambda _: self._once(operation, **asked))

    def _persist(self, attempt: Callable[[bool], T]) -> T:
        try:
            return persist(attempt, self._sleep)
        except Again:
            raise StoreUnavailable from None

    def _once(self, operation: str, **asked: Any) -> Answer:
        if operation not in {"batch_get_item", "batch_write_item", "transact_write_items"}:
            asked["TableName"] = self._table
        with _translated():
            return cast("Answer", getattr(self._client, operation)(**asked))


# the writes of a transaction


def put(item: Item, condition: Expression | None = None) -> Answer:
    return {"Put": {"Item": item, **_given(condition, "ConditionExpression")}}


def update(key: Key, change: Expression, condition: Expression | None = None) -> Answer:
    return {"Update": _update(key, change, condition)}


def delete(key: Key, condition: Expression | None = None) -> Answer:
    return {"Delete": {"Key": key_item(key), **_given(condition, "ConditionExpression")}}


def check(key: Key, condition: Expression) -> Answer:
    return {"ConditionCheck": {"Key": key_item(key), **_given(condition, "ConditionExpression")}}


def _update(key: Key, change: Expression, condition: Expression | None) -> Answer:
    asked: Answer = {"Key": key_item(key), **_given(condition, "ConditionExpression")}
    names = {**change.names, **asked.get("ExpressionAttributeNames", {})}
    values = {**change.values, **asked.get("ExpressionAttributeValues", {})}
    asked |= {"UpdateExpression": change.text}
    asked |= {"ExpressionAttributeNames": names} if names else {}
    return asked | ({"ExpressionAttributeValues": values} if values else {})


def _given(given: Expression | None, parameter: str, values: Mapping[str, Value] | None = None) -> Answer:
    """An expression as a request's parameters, beside `values` that it has already."""
    asked: Answer = {parameter: given.text} if given else {}
    names = dict(given.names) if given else {}
    together = {**(values or {}), **(given.values if given else {})}
    asked |= {"ExpressionAttributeNames": names} if names else {}
    return asked | ({"ExpressionAttributeValues": together} if together else {})


def _possible(key: Key) -> bool:
    """Whether there can be such an item; DynamoDB calls the question itself invalid where there cannot."""
    return bool(key.sort) and len(key.sort.encode()) <= MAX_SORT_BYTES


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except Refused as refused:
        raise _meaning(refused) or refused from None
    except NoAnswer as none:
        raise Again(str(none), ambiguous=True) from None


def _meaning(refused: Refused) -> Exception | None:
    """What a refusal means here; None where it means that the request is wrong."""
    code = refused.code
    if code == "ConditionalCheckFailedException":
        return ConditionFailed()
    if code == "TransactionCanceledException":
        return _cancelled([reason.get("Code", "None") for reason in refused.answer.get("CancellationReasons", [])])
    if code in _THROTTLED:
        return Again(code, ambiguous=False)
    if code in _AMBIGUOUS or refused.status >= 500:
        return Again(code, ambiguous=True)
    if code in {"ValidationException", "SerializationException", "IdempotentParameterMismatchException"}:
        return None
    return StoreUnavailable(f"DynamoDB refused the request: {code}.")


def _cancelled(reasons: Sequence[str]) -> Exception | None:
    """A condition that fails decides, whatever else happened to the transaction."""
    failed = [place for place, code in enumerate(reasons) if code == _CONDITION]
    if failed:
        return Cancelled(failed)
    if set(reasons) <= {"None", "ThrottlingError", "ProvisionedThroughputExceeded", "TransactionConflict"}:
        return Again("the transaction met another", ambiguous=False)
    return None
