"""The expense claims, executed by a real runner."""

import csv
import io
import json

from oriel.manifest import Manifest
from tests.support.examples import ADMIN, EXAMPLES, MEMBER

TRAIN = {"title": "Train to Lyon", "category": "Travel", "amount": 18640, "note": "Two days"}


def problem(answer):
    """The answer's status and the code of its problem."""
    assert dict(answer.headers)["content-type"] == "application/problem+json"
    return answer.status, json.loads(answer.body())["code"]


def test_the_list_starts_empty_and_says_who_asks_and_what_the_policy_is(approvals):
    found = approvals(config={"currency": "USD", "max_amount": 1500}).json("GET", "/claims", user=MEMBER)
    assert (found["claims"], found["cursor"]) == ([], None)
    assert found["me"] == {"id": "nils", "name": "Nils Berg", "may_decide": False}
    assert (found["policy"]["currency"], found["policy"]["max_amount"]) == ("USD", 150_000)


def test_a_claim_is_submitted_approved_by_somebody_else_and_stays(approvals):
    app = approvals()
    claim = app.json("POST", "/claims", TRAIN, user=MEMBER)
    assert (claim["status"], claim["submitted_by"]) == ("pending", "Nils Berg")
    app.json("POST", f"/claims/{claim['id']}/decision", {"decision": "approved"})
    (kept,) = app.json("GET", "/claims")["claims"]
    assert (kept["status"], kept["decided_by"]) == ("approved", "Ada Lindqvist")


def test_a_small_claim_is_approved_at_once(approvals):
    assert approvals().json("POST", "/claims", {**TRAIN, "amount": 2500}, user=MEMBER)["decided_by"] == "Policy"


def test_a_claim_above_the_limit_is_refused_with_the_field_and_the_limit(approvals):
    answer = approvals(config={"max_amount": 100}).call("POST", "/claims", TRAIN)
    assert problem(answer) == (422, "invalid_claim")
    assert b"'amount' is above the limit of 100.00 EUR" in answer.body()


def test_newer_claims_come_first(approvals):
    app = approvals()
    titles = ["one", "two", "three"]
    for title in titles:
        app.json("POST", "/claims", {**TRAIN, "title": title})
    found = [claim["title"] for claim in app.json("GET", "/claims")["claims"]]
    assert sorted(found) == sorted(titles)
    ids = [claim["id"] for claim in app.json("GET", "/claims")["claims"]]
    assert ids == sorted(ids)


def test_only_the_roles_of_the_policy_decide(approvals):
    app = approvals(config={"approver_roles": ["treasurer"]})
    claim = app.json("POST", "/claims", TRAIN, user=MEMBER)
    answer = app.call("POST", f"/claims/{claim['id']}/decision", {"decision": "approved"}, user=ADMIN)
    assert problem(answer) == (403, "not_an_approver")


def test_nobody_decides_on_an_own_claim_unless_the_policy_allows_it(approvals):
    strict, free = approvals(), approvals(config={"allow_own": True})
    for app, status in ((strict, 403), (free, 200)):
        claim = app.json("POST", "/claims", TRAIN, user=ADMIN)
        assert app.call("POST", f"/claims/{claim['id']}/decision", {"decision": "approved"}).status == status


def test_the_second_of_two_decisions_is_told_of_the_first(approvals):
    app = approvals()
    claim = app.json("POST", "/claims", TRAIN, user=MEMBER)
    path = f"/claims/{claim['id']}/decision"
    app.json("POST", path, {"decision": "rejected", "comment": "no"})
    assert problem(app.call("POST", path, {"decision": "approved"})) == (409, "decided_already")


def test_a_rejection_needs_a_reason(approvals):
    app = approvals()
    claim = app.json("POST", "/claims", TRAIN, user=MEMBER)
    answer = app.call("POST", f"/claims/{claim['id']}/decision", {"decision": "rejected"})
    assert problem(answer) == (422, "invalid_claim")


def test_installs_do_not_see_each_others_claims(approvals):
    one, other = approvals(), approvals()
    one.json("POST", "/claims", TRAIN)
    assert other.json("GET", "/claims")["claims"] == []


def test_the_export_is_a_file_whose_cells_no_spreadsheet_runs(approvals):
    app = approvals()
    app.json("POST", "/claims", {**TRAIN, "title": "=HYPERLINK(1)", "note": "ü"})
    answer = app.call("GET", "/claims.csv")
    headers = dict(answer.headers)
    assert headers["content-type"] == "text/csv; charset=utf-8"
    assert headers["content-disposition"].startswith('attachment; filename="claims-20')
    rows = list(csv.DictReader(io.StringIO(answer.body().decode("utf-8-sig"))))
    assert "x-ext-cursor" not in headers
    assert (rows[0]["Title"], rows[0]["Amount (EUR)"]) == ("'=HYPERLINK(1)", "186.40")


def test_a_long_export_comes_in_parts_that_lose_no_row(approvals):
    app = approvals()
    for number in range(53):
        app.json("POST", "/claims", {**TRAIN, "title": f"claim {number}"})
    first = app.call("GET", "/claims.csv")
    second = app.call("GET", "/claims.csv", query=f"cursor={dict(first.headers)['x-ext-cursor']}")
    table = (first.body() + second.body()).decode("utf-8-sig")
    assert {row["Title"] for row in csv.DictReader(io.StringIO(table))} == {f"claim {n}" for n in range(53)}


def test_without_a_user_there_are_no_claims(approvals):
    assert problem(approvals().call("GET", "/claims", user=None)) == (403, "no_user")


def test_without_the_grant_for_storage_the_answer_says_denied(approvals):
    answer = approvals(withheld=["storage.kv"]).call("GET", "/claims")
    assert problem(answer) == (403, "denied")
    assert answer.receipt.denied_calls == 1


def test_a_body_that_is_not_json_is_refused_with_its_place(approvals):
    answer = approvals().call("POST", "/claims", b'{"title": ')
    assert problem(answer) == (400, "malformed_body")
    assert b"line 1" in answer.body()


def test_the_manifest_declares_every_path_that_the_handler_has():
    declared = {
        (e.method, e.path) for e in Manifest.parse((EXAMPLES / "approvals/manifest.json").read_bytes()).api.endpoints
    }
    source = (EXAMPLES / "approvals/src/main.py").read_text()
    assert all(f'@app.{method.lower()}("{path}")' in source for method, path in declared)
    assert source.count("@app.") == len(declared)
