"""Consent: what a tenant grants of what a version asks for.

Rules kept here:

- A grant is never more than what is asked: another capability or another host is refused, not dropped.
- It may be less, to nothing at all: what was granted is what runs.
- No hosts is not "all hosts": a grant that takes hosts names them, or says nothing and means those asked for. So with
  operations of the host product, and with topics of events.
- What was granted before keeps who granted it and when.
- A grant may have an end; from then on it is as if it were not there.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec.structs import replace
from pydantic import BaseModel, ConfigDict, Field

from oriel import hosts, operations
from oriel.capabilities import ALWAYS, canonical_name
from oriel.errors import Finding, InvalidInput, OrielError
from oriel.published import Published
from oriel.store.records import Grant
from registry.catalogue import asks


class GrantRequest(BaseModel):
    """One capability to grant; `hosts`, `operations` or `topics` left out means all that are asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    capability: str = Field(max_length=64)
    hosts: tuple[str, ...] | None = Field(default=None, max_length=256)
    operations: tuple[str, ...] | None = Field(default=None, max_length=256)
    topics: tuple[str, ...] | None = Field(default=None, max_length=256)
    expires_at: int | None = Field(default=None, ge=0)


def consented(
    manifest: Published,
    requests: Sequence[GrantRequest] | None,
    *,
    granted_by: str,
    now: int,
    before: Sequence[Grant] = (),
) -> tuple[Grant, ...]:
    """The grants that follow from a tenant's decision.

    Args:
        requests: the decision; None where nobody decided.
        before: the grants that are there.

    Raises:
        OrielError: `consent_required`, with what is asked for, where nobody decided and something is asked.
        InvalidInput: `invalid_input`, where more is granted than is asked.
    """
    asked = {ask["name"]: ask for ask in asks(manifest)}
    if requests is None:
        if asked:
            raise consent_required(manifest)
        return ()
    wanted = [request for request in requests if canonical_name(request.capability) not in ALWAYS]
    if findings := [*_findings(asked, wanted), *_past(wanted, now)]:
        raise InvalidInput("invalid_input", findings, subject="The consent")
    kept = {_scope(grant): grant for grant in before}
    grants = []
    for request in wanted:
        ask = asked[canonical_name(request.capability)]
        grant = Grant(
            capability=ask["name"],
            hosts=_named(ask["hosts"], request.hosts),
            operations=_named(ask["operations"], request.operations),
            topics=_named(ask["topics"], request.topics),
            granted_by=granted_by,
            granted_at=now,
            expires_at=request.expires_at,
        )
        grants.append(kept.get(_scope(grant), grant))
    return in_order(grants)


def in_order(grants: Iterable[Grant]) -> tuple[Grant, ...]:
    return tuple(sorted(grants, key=lambda grant: grant.capability))


def with_grants(before: Sequence[Grant], given: Sequence[Grant]) -> tuple[Grant, ...]:
    """The grants of `before`, each in place of which one is given as that."""
    return in_order(
        ({grant.capability: grant for grant in before} | {grant.capability: grant for grant in given}).values()
    )


def narrowed(grants: Sequence[Grant], manifest: Published) -> tuple[Grant, ...]:
    """What of the grants a version asked for: what is carried on from it to another version.

    So a capability, a host, an operation or a topic that a version no longer asked for is asked for anew when a later
    one wants it again.
    """
    asked, kept = {ask["name"]: ask for ask in asks(manifest)}, []
    for grant in grants:
        if (ask := asked.get(grant.capability)) is None:
            continue
        left = replace(
            grant,
            hosts=hosts.intersection(ask["hosts"], grant.hosts),
            operations=operations.intersection(ask["operations"], grant.operations),
            topics=operations.intersection(ask["topics"], grant.topics),
        )
        if any(left.reach) or not any(grant.reach):
            kept.append(left)
    return tuple(kept)


def is_live(grant: Grant, now: int) -> bool:
    return grant.expires_at is None or now < grant.expires_at


def _past(requests: Sequence[GrantRequest], now: int) -> Iterator[Finding]:
    for index, request in enumerate(requests):
        if request.expires_at is not None and request.expires_at <= now:
            yield Finding(f"grants[{index}].expires_at", "is not in the future; it is in Unix milliseconds")


def consent_required(manifest: Published) -> OrielError:
    """The refusal that names what is asked for, with purposes."""
    asked = list(asks(manifest))
    names = ", ".join(ask["name"] for ask in asked)
    return OrielError(
        "consent_required",
        f"{manifest.name} {manifest.version} asks for {names}; send 'grants' with what is agreed to.",
        extra={"capabilities": asked},
    )


def _scope(grant: Grant) -> tuple[object, ...]:
    return grant.capability, grant.reach, grant.expires_at


def _named(asked: Sequence[str], chosen: Sequence[str] | None) -> tuple[str, ...]:
    return tuple(asked) if chosen is None else tuple(sorted(set(chosen)))


def _findings(asked: dict[str, dict[str, Any]], requests: Sequence[GrantRequest]) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, request in enumerate(requests):
        place, name = f"grants[{index}]", canonical_name(request.capability)
        ask = asked.get(name)
        if ask is None:
            known = ", ".join(asked) or "nothing"
            yield Finding(f"{place}.capability", f"{name!r} is not asked for; it asks for {known}")
            continue
        if name in seen:
            yield Finding(f"{place}.capability", f"{name!r} is granted twice")
        seen.add(name)
        if ask["takes_hosts"] and request.hosts is not None and not request.hosts:
            yield Finding(f"{place}.hosts", "is empty; name the hosts, or leave the capability out")
        for host in request.hosts or ():
            if problem := host_problem(host):
                yield Finding(f"{place}.hosts", f"{host!r} {problem}")
            elif not hosts.included(host, ask["hosts"]):
                yield Finding(f"{place}.hosts", f"{host!r} is not asked for; it asks for {', '.join(ask['hosts'])}")
        yield from _scope_findings(place, "operations", ask, request.operations)
        yield from _scope_findings(place, "topics", ask, request.topics)


def _scope_findings(place: str, scope: str, ask: dict[str, Any], chosen: Sequence[str] | None) -> Iterator[Finding]:
    """Of operations or topics, which are granted by their very names."""
    if ask[f"takes_{scope}"] and chosen is not None and not chosen:
        yield Finding(f"{place}.{scope}", f"is empty; name the {scope}, or leave the capability out")
    for name in sorted(set(chosen or ()) - set(ask[scope])):
        named = ", ".join(ask[scope]) or "none"
        yield Finding(f"{place}.{scope}", f"{name!r} is not asked for; it asks for {named}")


def host_problem(host: str) -> str | None:
    """What is wrong with a host pattern in its normal form, as the end of a sentence; None where nothing is."""
    try:
        normal = hosts.normal(host)
    except ValueError as error:
        return str(error)
    return None if normal == host else f"must be written {normal}"
