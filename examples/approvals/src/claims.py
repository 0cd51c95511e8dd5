"""Expense claims: what one is, what policy says about it, and where it is kept. Amounts are in cents."""

import csv
import io
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from oriel_guest import Conflict, Problem, context, storage
from oriel_guest.user import User

PREFIX = "claim/"
PAGE = 50
CATEGORIES = ("Travel", "Meals", "Equipment", "Training", "Other")
LONGEST = {"title": 120, "note": 1000, "comment": 500}

Status = Literal["pending", "approved", "rejected"]


@dataclass(frozen=True)
class Policy:
    """The tenant's settings."""

    currency: str
    max_amount: int
    auto_approve_up_to: int
    approver_roles: list[str]
    allow_own: bool

    @classmethod
    def load(cls) -> "Policy":
        return cls(
            currency=context.setting("currency", "EUR"),
            max_amount=round(context.setting("max_amount", 2000.0) * 100),
            auto_approve_up_to=round(context.setting("auto_approve_up_to", 25.0) * 100),
            approver_roles=context.setting("approver_roles", ["admin", "approver"]),
            allow_own=context.setting("allow_own", False),
        )

    def may_decide(self, user: User) -> bool:
        return not set(self.approver_roles).isdisjoint(user.roles)


@dataclass(frozen=True)
class Claim:
    id: str
    title: str
    category: str
    amount: int
    note: str
    submitted_by: str
    submitter_id: str
    submitted_at: str
    status: Status = "pending"
    decided_by: str = ""
    decided_at: str = ""
    comment: str = ""


def submit(form: dict[str, Any], user: User, policy: Policy) -> Claim:
    """Check a claim against the policy and keep it; small ones are approved at once."""
    claim = Claim(
        id=_newest_first_id(),
        title=_text(form, "title", required=True),
        category=_category(form),
        amount=_amount(form, policy),
        note=_text(form, "note"),
        submitted_by=user.label,
        submitter_id=user.id,
        submitted_at=_now(),
    )
    if claim.amount <= policy.auto_approve_up_to:
        claim = replace(claim, status="approved", decided_by="Policy", decided_at=claim.submitted_at)
    storage.put(PREFIX + claim.id, asdict(claim), if_absent=True)
    return claim


def decide(claim_id: str, form: dict[str, Any], user: User, policy: Policy) -> Claim:
    """Approve or reject a claim that nobody has decided on in the meantime."""
    entry = storage.get(PREFIX + claim_id)
    if entry is None:
        raise Problem(404, "There is no such claim.", "no_claim")
    claim = Claim(**entry.json())
    if not policy.may_decide(user):
        raise Problem(403, f"Claims are decided by: {', '.join(policy.approver_roles)}.", "not_an_approver")
    if claim.submitter_id == user.id and not policy.allow_own:
        raise Problem(403, "Somebody else has to decide on your own claim.", "own_claim")
    decided = replace(
        claim,
        status=_decision(form),
        decided_by=user.label,
        decided_at=_now(),
        comment=_text(form, "comment", required=form.get("decision") == "rejected"),
    )
    if claim.status != "pending":
        raise _decided_already(claim)
    try:
        storage.put(entry.key, asdict(decided), if_revision=entry.revision)
    except Conflict:
        raise _decided_already(claim) from None
    return decided


def page(cursor: str | None) -> tuple[list[Claim], str | None]:
    """Up to 50 claims, newest first, and the cursor of the next ones."""
    found = storage.list_page(PREFIX, cursor, PAGE)
    return [Claim(**entry.json()) for entry in found.entries], found.cursor


def as_csv(claims: Iterable[Claim], currency: str, *, first: bool) -> str:
    """Rows for spreadsheets; the first part has the headings, and a byte order mark so that it is read as UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out)
    if first:
        out.write("\ufeff")
        writer.writerow(
            ["Submitted", "Title", "Category", f"Amount ({currency})", "By", "Status", "Decided", "Comment"]
        )
    for claim in claims:
        row = [claim.submitted_at, claim.title, claim.category, f"{claim.amount / 100:.2f}", claim.submitted_by]
        writer.writerow([_inert(cell) for cell in (*row, claim.status, claim.decided_by, claim.comment)])
    return out.getvalue()


def _inert(cell: str) -> str:
    """A spreadsheet would run a cell that starts like a formula."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def _decided_already(claim: Claim) -> Problem:
    return Problem(409, f"'{claim.title}' has been decided already; load the list again.", "decided_already")


def _text(form: dict[str, Any], field: str, *, required: bool = False) -> str:
    value = form.get(field, "")
    if not isinstance(value, str):
        raise _invalid(field, "must be text")
    text = value.strip()
    if required and not text:
        raise _invalid(field, "is missing")
    if len(text) > LONGEST[field]:
        raise _invalid(field, f"has more than {LONGEST[field]} characters")
    return text


def _category(form: dict[str, Any]) -> str:
    if form.get("category") not in CATEGORIES:
        raise _invalid("category", f"must be one of {', '.join(CATEGORIES)}")
    return str(form["category"])


def _amount(form: dict[str, Any], policy: Policy) -> int:
    amount = form.get("amount")
    if not isinstance(amount, int) or isinstance(amount, bool) or amount <= 0:
        raise _invalid("amount", "must be a whole number of cents above 0")
    if amount > policy.max_amount:
        raise _invalid("amount", f"is above the limit of {policy.max_amount / 100:.2f} {policy.currency}")
    return amount


def _decision(form: dict[str, Any]) -> Status:
    match form.get("decision"):
        case "approved":
            return "approved"
        case "rejected":
            return "rejected"
    raise _invalid("decision", "must be 'approved' or 'rejected'")


def _invalid(field: str, message: str) -> Problem:
    return Problem(422, f"'{field}' {message}.", "invalid_claim", field=field)


def _now() -> str:
    return context.now().isoformat(timespec="seconds")


def _newest_first_id() -> str:
    """Storage lists by key in rising order: an id that falls as time goes on puts the newest claim first."""
    return f"{10**13 - context.now_ms():013d}-{context.random_u64() & 0xFFFFFF:06x}"
