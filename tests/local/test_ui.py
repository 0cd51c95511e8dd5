"""What a published UI gets from the running platform: its files as browsers take them, and session tokens."""

import gzip

import brotli
import httpx
import jwt

from tests.support.platform import client, publish_and_install, token


def test_a_published_page_is_there_in_every_encoding(platform):
    extension_id = publish_and_install(platform, name="com.acme.page")
    with client(platform) as member:
        (item,) = [item for item in member.api("GET", "/menu")["items"] if item["extension_id"] == extension_id]
    url = f"{platform.ui_base_url}/ext-ui/{extension_id}/{item['content_hash']}/index.html"
    bodies = {}
    for encoding in ("identity", "gzip", "br"):
        with httpx.stream("GET", url, headers={"accept-encoding": encoding}, trust_env=False) as answer:
            assert answer.headers.get("content-encoding", "identity") == encoding
            bodies[encoding] = b"".join(answer.iter_raw())
    assert gzip.decompress(bodies["gzip"]) == brotli.decompress(bodies["br"]) == bodies["identity"]


def test_a_session_token_is_verified_with_the_key_at_its_issuer(platform):
    extension_id = publish_and_install(platform, name="com.acme.session")
    headers = {"authorization": f"Bearer {token(platform)}"}
    asked = {"extension_id": extension_id}
    answer = httpx.post(f"{platform.base_url}/api/ext-session", json=asked, headers=headers, trust_env=False)
    session = answer.raise_for_status().json()["token"]
    issuer = jwt.decode(session, options={"verify_signature": False})["iss"]
    assert issuer == platform.base_url
    keys = jwt.PyJWKSet.from_dict(httpx.get(f"{issuer}/api/ext-session/jwks.json", trust_env=False).json())
    key = keys[jwt.get_unverified_header(session)["kid"]]
    claims = jwt.decode(session, key, algorithms=["EdDSA"], audience=extension_id, issuer=issuer)
    assert claims["tenant"] == "northwind"
    assert claims["sub"].startswith("anon_")  # nobody has granted user.read
