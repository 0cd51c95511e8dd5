"""Approvals: the endpoints that manifest.json declares."""

from typing import Any

import claims
from oriel_guest import App, Problem, Request, Response, context, json_response, log, user

app = App()


@app.get("/claims")
def index(request: Request) -> dict[str, Any]:
    me, policy = _me(), claims.Policy.load()
    found, cursor = claims.page(request.args.get("cursor"))
    return {
        "claims": found,
        "cursor": cursor,
        "me": {"id": me.id, "name": me.label, "may_decide": policy.may_decide(me)},
        "policy": policy,
        "categories": claims.CATEGORIES,
    }


@app.post("/claims")
def submit(request: Request) -> Response:
    claim = claims.submit(request.json_object(), _me(), claims.Policy.load())
    log.info("claim submitted", id=claim.id, amount=claim.amount, status=claim.status)
    return json_response(claim, 201)


@app.post("/claims/:id/decision")
def decide(request: Request) -> claims.Claim:
    claim = claims.decide(request.params["id"], request.json_object(), _me(), claims.Policy.load())
    log.info("claim decided", id=claim.id, status=claim.status)
    return claim


@app.get("/claims.csv")
def export(request: Request) -> Response:
    """Newest first, in parts: `x-ext-cursor` is the cursor of the next one."""
    found, cursor = claims.page(request.args.get("cursor"))
    table = claims.as_csv(found, claims.Policy.load().currency, first="cursor" not in request.args)
    name = f"claims-{context.now():%Y-%m-%d}.csv"
    headers = {"content-type": "text/csv; charset=utf-8", "content-disposition": f'attachment; filename="{name}"'}
    return Response(table, headers=headers | ({"x-ext-cursor": cursor} if cursor else {}))


def _me() -> user.User:
    me = user.get()
    if me is None:
        raise Problem(403, "Claims need a signed-in user.", "no_user")
    return me
