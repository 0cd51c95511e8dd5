"""The one table: its definition, and the key of every item in it.

`PROPERTIES` are those of `AWS::DynamoDB::Table`; the deployment's template and the tests take them from here.
docs/reference/dynamodb.md lists which method reads and writes which keys.

Rules kept here:

- No index: a listing is a partition of its own with whole copies of the records, written in their transaction. So
  every read can be strongly consistent.
- A tenant's item has `tenant#<tenant_id>#` first in its partition key: a policy on leading keys can hold to it.
- Two different records never share a key: inside a key, `#` and `%` of a part are escaped; only a sort key's last part
  stands as it is, so that it sorts by its bytes. An overlong part of a partition key is replaced by its hash.
"""

import hashlib
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from oriel.aws.services import JsonClient
from oriel.store.event_records import Work, WorkKind

PARTITION, SORT, TTL = "pk", "sk", "ttl"
MAX_SORT_BYTES = 1_024
MAX_PART_BYTES = 256

PROPERTIES: Mapping[str, Any] = {
    "AttributeDefinitions": [
        {"AttributeName": PARTITION, "AttributeType": "S"},
        {"AttributeName": SORT, "AttributeType": "S"},
    ],
    "KeySchema": [
        {"AttributeName": PARTITION, "KeyType": "HASH"},
        {"AttributeName": SORT, "KeyType": "RANGE"},
    ],
    "BillingMode": "PAY_PER_REQUEST",
    "TimeToLiveSpecification": {"AttributeName": TTL, "Enabled": True},
}


class Key(NamedTuple):
    """An item's primary key."""

    partition: str
    sort: str


def create(client: JsonClient, name: str) -> None:
    """Make the table where no template does: for tests and for a local endpoint."""
    definition = dict(PROPERTIES)
    ttl = definition.pop("TimeToLiveSpecification")
    client.create_table(TableName=name, **definition)
    while client.describe_table(TableName=name)["Table"]["TableStatus"] != "ACTIVE":
        time.sleep(0.05)
    client.update_time_to_live(TableName=name, TimeToLiveSpecification=ttl)


PUBLISHERS = "publishers"
PENDING_UPLOADS = "uploads-pending"
EXTENSIONS = "extensions"
QUARANTINE = "quarantine"
DELETIONS = "deletions"
SEALED = "sealed"
DATA_KEYS = "data-keys"
USAGE_SHARDS = 8
AUDIT_HEADS = "audit-heads"
PENDING_ROLLOUTS = "rollouts-pending"
ROLLOUTS = "rollout#"
KEYS_OF_A_PUBLISHER = "key#"
VERSIONS = "version#"
INSTALL = "install"
DUE_SHARDS = 16


def joined(*parts: str) -> str:
    """Parts of a key, so that no two lists of parts give the same text."""
    return "#".join(map(_escaped, parts))


def _escaped(part: str) -> str:
    raw = part.encode()
    if len(raw) > MAX_PART_BYTES:
        return f"%%{hashlib.sha256(raw).hexdigest()}"  # an escaped part has no %%
    return part.replace("%", "%25").replace("#", "%23")


def ttl(expires_at: int | None) -> dict[str, str] | None:
    """The attribute by which DynamoDB deletes a record, some time after it expires; None for one that stays."""
    return None if expires_at is None else {"N": str(-(-expires_at // 1000))}


def key_of_nothing() -> Key:
    """Asked for to see whether the table answers."""
    return Key("ping", "ping")


def publisher(name: str) -> Key:
    return Key(joined("publisher", name), "publisher")


def publisher_key(publisher_name: str, key_id: str) -> Key:
    return Key(joined("publisher", publisher_name), KEYS_OF_A_PUBLISHER + key_id)


def upload(upload_id: str) -> Key:
    return Key(joined("upload", upload_id), "upload")


def uploads_of(principal: str, content_hash: str) -> str:
    return joined("uploads-of", principal, content_hash)


def versions(extension_id: str) -> str:
    return joined("extension", extension_id)


def version(extension_id: str, number: str) -> Key:
    return Key(versions(extension_id), VERSIONS + number)


def bundle(content_hash: str) -> Key:
    return Key(joined("bundle", content_hash), "bundle")


def quarantine(content_hash: str) -> Key:
    return Key(joined("bundle", content_hash), "quarantine")


def installs(tenant_id: str) -> str:
    return joined("tenant", tenant_id, "installs")


def install(tenant_id: str, extension_id: str) -> Key:
    return Key(joined("tenant", tenant_id, "install", extension_id), INSTALL)


def install_id(tenant_id: str, install: str) -> Key:
    return Key(joined("tenant", tenant_id, "install-ids"), install)


def secrets(install_id: str) -> str:
    """What the sort keys of an install's secrets begin with; they stand beside the install."""
    return joined("secret", install_id) + "#"


def secret(tenant_id: str, extension_id: str, install_id: str, name: str) -> Key:
    return Key(install(tenant_id, extension_id).partition, secrets(install_id) + name)


def guest_records(tenant_id: str, install_id: str) -> str:
    return joined("tenant", tenant_id, "guest", install_id)


def guest_record(tenant_id: str, install_id: str, key: str) -> Key:
    return Key(guest_records(tenant_id, install_id), guest_sort(key))


def guest_sort(key: str) -> str:
    """A sort key is never empty; a guest's prefix may be."""
    return f"={key}"


def executions(tenant_id: str) -> str:
    return joined("tenant", tenant_id, "executions")


def executions_of(tenant_id: str, extension_id: str) -> str:
    return joined("tenant", tenant_id, "executions", extension_id)


def fixtures(tenant_id: str, install_id: str) -> str:
    """Their lines, for listing."""
    return joined("tenant", tenant_id, "fixtures", install_id)


def sealed_fixtures(tenant_id: str, install_id: str) -> str:
    """The fixtures themselves."""
    return joined("tenant", tenant_id, "sealed-fixtures", install_id)


def requests(tenant_id: str) -> str:
    return joined("tenant", tenant_id, "requests")


def of_request(request_id: str) -> str:
    """What the sort keys of a request's executions begin with."""
    return joined(request_id) + "#"


def usages(tenant_id: str) -> str:
    return joined("tenant", tenant_id, "usage")


def usage(tenant_id: str, window: str, extension_id: str, number: str) -> Key:
    return Key(usages(tenant_id), f"{joined(window, extension_id)}#{number}")


def usages_of_all(window: str, shard: int) -> str:
    """Where every tenant's usage of a day is listed, spread over partitions: all gateways of all tenants write it."""
    return joined("usages", window, str(shard))


def usage_of_all(tenant_id: str, window: str, extension_id: str, number: str) -> Key:
    shard = hashlib.sha256(tenant_id.encode()).digest()[0] % USAGE_SHARDS
    return Key(usages_of_all(window, shard), f"{joined(tenant_id, extension_id)}#{number}")


def minutes(tenant_id: str) -> str:
    return joined("tenant", tenant_id, "minutes")


def minute_sort(minute: int) -> str:
    """What the sort keys of a minute, in Unix milliseconds, begin with."""
    return f"{max(0, minute):014d}"


def minute(tenant_id: str, at: int, extension_id: str, bucket: int) -> Key:
    return Key(minutes(tenant_id), f"{minute_sort(at)}#{joined(extension_id)}#{bucket:02d}")


def audit(tenant_id: str | None) -> str:
    return "audit" if tenant_id is None else joined("tenant", tenant_id, "audit")


def subscriptions(tenant_id: str) -> str:
    return joined("tenant", tenant_id, "subscriptions")


def subscription_set(tenant_id: str, install_id: str) -> Key:
    return Key(subscriptions(tenant_id), install_id)


def events(tenant_id: str) -> str:
    return joined("tenant", tenant_id, "events")


def event(tenant_id: str, event_id: str) -> Key:
    return Key(events(tenant_id), event_id)


def emitted(tenant_id: str, source: str, minute: int) -> Key:
    return Key(joined("tenant", tenant_id, "emitted", source), str(minute))


def deliveries(tenant_id: str) -> str:
    return joined("tenant", tenant_id, "deliveries")


def delivery(tenant_id: str, delivery_id: str) -> Key:
    return Key(deliveries(tenant_id), delivery_id)


def dead_letters(tenant_id: str) -> str:
    return joined("tenant", tenant_id, "dead-letters")


def schedules(tenant_id: str) -> str:
    return joined("tenant", tenant_id, "schedules")


def schedule(tenant_id: str, schedule_id: str) -> Key:
    return Key(schedules(tenant_id), schedule_id)


def schedule_names(tenant_id: str, install_id: str) -> str:
    return joined("tenant", tenant_id, "schedule-names", install_id)


def schedule_name(tenant_id: str, install_id: str, name: str) -> Key:
    return Key(schedule_names(tenant_id, install_id), name)


def runs(tenant_id: str) -> str:
    return joined("tenant", tenant_id, "runs")


def run(tenant_id: str, run_id: str) -> Key:
    return Key(runs(tenant_id), run_id)


def work(tenant_id: str, kind: WorkKind, item_id: str) -> Key:
    return Key(joined("tenant", tenant_id, "work", kind), item_id)


def lane(tenant_id: str, name: str) -> str:
    return joined("tenant", tenant_id, "lane", name)


def due_shard(shard: int) -> str:
    return f"due#{shard}"


def due(item: Work) -> Key:
    """Its place among what is due: all of a tenant in one shard."""
    name = joined(item.tenant_id, item.kind, item.item_id)
    shard = hashlib.sha256(item.tenant_id.encode()).digest()[0] % DUE_SHARDS
    return Key(due_shard(shard), f"{_time(item.due_at)}#{name}")


def due_until(now: int) -> str:
    """The sort key after all that are due at `now`."""
    return f"{_time(now)}$"


def _time(at: int) -> str:
    return f"{at:015d}"


def sealed(tenant_id: str, install_id: str, name: str) -> Key:
    return Key(SEALED, joined(tenant_id, install_id, name))


def api_keys(tenant_id: str | None) -> str:
    return "api-keys" if tenant_id is None else joined("tenant", tenant_id, "api-keys")


def quota_defaults() -> Key:
    return Key("quota-defaults", "quota-defaults")


def quotas(tenant_id: str) -> str:
    return joined("tenant", tenant_id, "quotas")


def quota(tenant_id: str, extension_id: str) -> Key:
    return Key(quotas(tenant_id), f"={extension_id}")


def meter(tenant_id: str, bucket: str) -> Key:
    return Key(joined("tenant", tenant_id, "meters"), f"={bucket}")


def repeats(tenant_id: str, install_id: str) -> str:
    return joined("tenant", tenant_id, "repeats", install_id)


def repeat(tenant_id: str, install_id: str, key: str) -> Key:
    return Key(repeats(tenant_id, install_id), key)


def audit_entry(tenant_id: str | None, sequence: int) -> Key:
    """A number's digits are as many as it takes to sort them as text."""
    return Key(audit(tenant_id), f"{sequence:018d}")


def audit_head(tenant_id: str | None) -> Key:
    return Key("audit-head" if tenant_id is None else joined("tenant", tenant_id, "audit-head"), "head")


def listed_head(tenant_id: str | None) -> Key:
    """A sort key is never empty; that of the platform's chain comes first."""
    return Key(AUDIT_HEADS, f"={tenant_id or ''}")


def deletion(tenant_id: str, extension_id: str) -> Key:
    return Key(DELETIONS, joined(tenant_id, extension_id))


def followers(extension_id: str) -> str:
    return joined("followers", extension_id)


def rollout(extension_id: str, number: str) -> Key:
    return Key(versions(extension_id), ROLLOUTS + number)


def pending_rollout(extension_id: str, number: str) -> Key:
    return Key(PENDING_ROLLOUTS, joined(extension_id, number))


def claim(name: str) -> Key:
    return Key(joined("claim", name), "claim")
