"""Session tokens: who gets one, what it says, and who believes it."""

import json

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.app import create_app
from oriel.identity import SessionSigner
from tests.support.gateway import EXTENSION, ORIGIN, bearer, grant, resolution
from tests.support.serving import Port

ISSUER = "https://oriel.example"
SIGNER = SessionSigner(Ed25519PrivateKey.generate(), ISSUER)


@pytest.fixture
def ask(make_bench):
    """Asks over HTTP; `resolutions` are what is installed."""
    stack = []

    def start(*resolutions, sessions=SIGNER):
        serving = Port().serve(create_app(make_bench(*resolutions, sessions=sessions).gateway))
        stack.append(serving)
        client = httpx.Client(base_url=serving.__enter__(), trust_env=False)
        stack.append(client)

        def post(body=None, token=None, **headers):
            headers = {"authorization": token or bearer("acme", "viewer")} | headers
            return client.post("/api/ext-session", json=body or {"extension_id": EXTENSION}, headers=headers)

        post.client = client
        return post

    yield start
    for opened in reversed(stack):
        opened.__exit__(None, None, None)


def claims(post, answer):
    """As the extension's backend verifies it: with the published key, for its own audience."""
    token = answer.json()["token"]
    keys = jwt.PyJWKSet.from_dict(post.client.get("/api/ext-session/jwks.json").json())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    return jwt.decode(token, key, algorithms=["EdDSA"], audience=EXTENSION, issuer=ISSUER)


def test_a_token_is_for_the_user_the_tenant_the_install_and_the_extension_for_a_minute(ask):
    post = ask()
    answer = post()
    found = claims(post, answer)
    assert (found["sub"], found["tenant"], found["install"]) == ("ann", "acme", "ins_acme")
    assert 0 < found["exp"] - found["iat"] <= 60
    assert answer.json()["expires_at"] == found["exp"] * 1000
    assert answer.headers["cache-control"] == "no-store"


def test_without_the_grant_user_read_the_user_is_a_pseudonym_that_differs_by_install(ask):
    post = ask(resolution(grants=(grant("storage.kv"),)), resolution("globex", grants=()))
    first, again, bob = (
        claims(post, post(token=bearer("acme", subject=user)))["sub"] for user in ("ann", "ann", "bob")
    )
    elsewhere = claims(post, post(token=bearer("globex")))["sub"]
    assert first == again
    assert first.startswith("anon_")
    assert len({first, bob, elsewhere}) == 3


def test_another_extension_refuses_the_token(ask):
    post = ask()
    token = post().json()["token"]
    key = jwt.PyJWKSet.from_dict(post.client.get("/api/ext-session/jwks.json").json()).keys[0]
    with pytest.raises(jwt.InvalidAudienceError):
        jwt.decode(token, key, algorithms=["EdDSA"], audience="com.acme.other", issuer=ISSUER)


def test_the_platform_itself_does_not_believe_it(ask):
    post = ask()
    token = f"Bearer {post().json()['token']}"
    assert post(token=token).status_code == 401
    assert post.client.get(f"/api/ext/{EXTENSION}/", headers={"authorization": token}).status_code == 401


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"status": "disabled"}, "install_disabled"),
        ({"version_status": "yanked"}, "version_yanked"),
        ({"publisher_revoked": True}, "publisher_revoked"),
        ({"quarantined": True}, "quarantined"),
    ],
)
def test_what_may_not_run_gets_no_token(ask, fields, code):
    answer = ask(resolution(**fields))()
    assert (answer.status_code, answer.json()["code"]) == (403, code)


def test_who_may_not_call_gets_no_token(ask):
    post = ask()
    assert post(token="Bearer x").status_code == 401
    assert post(token=bearer("acme", "publisher")).json()["code"] == "forbidden"
    assert post(token=bearer("globex")).json()["code"] == "extension_not_installed"
    assert post(**{"x-tenant-id": "globex"}).json()["code"] == "tenant_mismatch"


@pytest.mark.parametrize("body", [{"extension_id": 1}, {"extension_id": EXTENSION, "tenant": "globex"}, {"x": ""}, []])
def test_a_body_that_asks_for_something_else_is_refused(ask, body):
    answer = ask().client.post("/api/ext-session", content=json.dumps(body), headers={"authorization": bearer()})
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")


def test_only_host_origins_may_ask_from_a_browser(ask):
    post = ask()
    asks = {"access-control-request-method": "POST", "access-control-request-headers": "authorization, content-type"}
    allowed = post.client.options("/api/ext-session", headers={"origin": ORIGIN, **asks})
    assert allowed.headers["access-control-allow-origin"] == ORIGIN
    assert "authorization" in allowed.headers["access-control-allow-headers"]
    assert (
        post.client.options("/api/ext-session", headers={"origin": "https://evil.example", **asks}).status_code == 403
    )
    assert post(origin=ORIGIN).headers["access-control-allow-origin"] == ORIGIN


def test_a_platform_without_a_key_for_them_gives_none(ask):
    post = ask(sessions=None)
    assert post().status_code == 404
    assert post.client.get("/api/ext-session/jwks.json").status_code == 404
