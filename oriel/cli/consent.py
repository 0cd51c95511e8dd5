"""Consent on a terminal: what an extension asks for, in words, and what the administrator grants."""

from collections.abc import Mapping, Sequence
from typing import Any

import typer

from oriel.capabilities import canonical_name
from oriel.cli.output import out
from oriel.errors import Finding, InvalidInput, OrielError

Ask = Mapping[str, Any]


def describe(asks: Sequence[Ask]) -> str:
    """One paragraph a capability: its name, what it means, the publisher's purpose, the hosts, operations or topics."""
    return "\n".join(_paragraph(ask) for ask in asks)


def _paragraph(ask: Ask) -> str:
    mark = "[yellow]![/]" if ask.get("sensitive") else "[green]•[/]"
    lines = [f"  {mark} [bold]{ask['name']}[/]  {ask['summary']}"]
    lines += [f"      hosts: {', '.join(ask['hosts'])}"] if ask.get("hosts") else []
    lines += [f"      operations: {', '.join(ask['operations'])}"] if ask.get("operations") else []
    lines += [f"      topics: {', '.join(ask['topics'])}"] if ask.get("topics") else []
    lines += [f"      “{ask['purpose']}”"] if ask.get("purpose") else []
    return "\n".join(lines)


def choose_grants(
    asks: Sequence[Ask], named: Sequence[str], everything: bool, interactive: bool
) -> list[dict[str, Any]]:
    """The grants to send.

    Args:
        asks: what the version asks for.
        named: `--grant` values: `storage.kv`, `http.fetch=api.acme.com,api.example.com`, `host.call=orders.list`.
        everything: `--grant-all`.
        interactive: somebody can be asked.

    Raises:
        OrielError: `consent_required`, where nobody decided.
        InvalidInput: a `--grant` that names what is not asked for.
    """
    if everything:
        return [_grant(ask) for ask in asks]
    if named:
        return _named_grants(asks, named)
    if not asks:
        return []
    if not interactive:
        names = ", ".join(ask["name"] for ask in asks)
        raise OrielError(
            "consent_required",
            f"The extension asks for {names}, and nobody is here to ask.",
            hint="Decide with --grant NAME (repeat it) or --grant-all.",
        )
    return [_grant(ask) for ask in asks if _agreed(ask)]


def _agreed(ask: Ask) -> bool:
    out.note(_paragraph(ask))
    return typer.confirm("    Grant it?", default=True, err=True)


def _grant(ask: Ask, chosen: Sequence[str] | None = None) -> dict[str, Any]:
    scope = next((name for name in ("operations", "topics") if ask.get(f"takes_{name}")), "hosts")
    return {"capability": ask["name"], scope: list(ask.get(scope) or ()) if chosen is None else list(chosen)}


def _named_grants(asks: Sequence[Ask], named: Sequence[str]) -> list[dict[str, Any]]:
    known = {ask["name"]: ask for ask in asks}
    grants, findings = [], []
    for value in named:
        name, _, chosen = value.partition("=")
        ask = known.get(canonical_name(name))
        if ask is None:
            offered = ", ".join(known) or "nothing"
            findings.append(Finding(f"--grant {value}", f"the extension does not ask for it; it asks for {offered}"))
        else:
            grants.append(_grant(ask, chosen.split(",") if chosen else None))
    if findings:
        raise InvalidInput("invalid_input", findings, subject="The command line")
    return grants
