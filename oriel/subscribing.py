"""Which subscriptions an install has: what its version's manifest names, as far as the tenant has consented.

Rules kept here: a function of the install and the manifest alone, so that it says the same when the install changes and
when an event is delivered; a topic that was not granted is not subscribed to.
"""

import hashlib

from oriel.capabilities import canonical_name
from oriel.published import EventHandler, Published
from oriel.store.event_records import Delivery, Event, Subscription
from oriel.store.records import Install

CAPABILITY = "events.subscribe"


def subscriptions(install: Install, manifest: Published, now: int) -> tuple[Subscription, ...]:
    """All that the install is told of from now on."""
    granted = granted_topics(install, now)
    return tuple(_subscription(install, handler) for handler in manifest.events if handler.topic in granted)


def granted_topics(install: Install, now: int) -> frozenset[str]:
    """The patterns that the tenant has consented to."""
    live = (grant for grant in install.grants if grant.expires_at is None or now < grant.expires_at)
    return frozenset(
        topic for grant in live if canonical_name(grant.capability) == CAPABILITY for topic in grant.topics
    )


def is_subscribed(install: Install, manifest: Published, subscription_id: str, now: int) -> bool:
    """Whether a delivery that is on its way is still wanted."""
    return any(one.subscription_id == subscription_id for one in subscriptions(install, manifest, now))


def _subscription(install: Install, handler: EventHandler) -> Subscription:
    return Subscription(
        tenant_id=install.tenant_id,
        install_id=install.install_id,
        subscription_id=_id(install, handler),
        extension_id=install.extension_id,
        topic=handler.topic,
        path=handler.path,
        filter=dict(handler.filter),
        ordered=handler.ordered,
        created_at=install.created_at,
    )


def _id(install: Install, handler: EventHandler) -> str:
    """The same for the same topic and path, over upgrades."""
    named = "\0".join((install.install_id, handler.topic, handler.path))
    return hashlib.sha256(named.encode()).hexdigest()[:16]


def delivery_of(event: Event, subscription: Subscription, now: int, again: str = "") -> Delivery:
    """A delivery to be made; `again` makes it another one of the same event."""
    ordered = subscription.ordered and event.key is not None
    return Delivery(
        tenant_id=event.tenant_id,
        delivery_id=".".join(filter(None, (event.event_id, subscription.subscription_id, again))),
        event_id=event.event_id,
        topic=event.topic,
        install_id=subscription.install_id,
        extension_id=subscription.extension_id,
        path=subscription.path,
        lane=_lane(subscription.subscription_id, event.key or "") if ordered else None,
        created_at=now,
        updated_at=now,
        expires_at=event.expires_at,
    )


def _lane(subscription_id: str, key: str) -> str:
    return f"to:{subscription_id}:{hashlib.sha256(key.encode()).hexdigest()[:32]}"
