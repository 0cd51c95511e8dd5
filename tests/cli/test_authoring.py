"""keygen, build, pack, sign, verify: without a platform."""

import stat

from oriel.signing import generate_key


def make_key(oriel, tmp_path):
    assert oriel("keygen", "--out", tmp_path / "key.pem").code == 0
    return tmp_path / "key.pem"


def test_keygen_writes_a_private_key_that_only_the_owner_can_read(oriel, tmp_path):
    key = make_key(oriel, tmp_path)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert "PUBLIC KEY" in key.with_name("key.pem.pub").read_text()


def test_keygen_never_overwrites_a_key(oriel, tmp_path):
    key = make_key(oriel, tmp_path)
    before = key.read_bytes()
    again = oriel("keygen", "--out", key)
    assert (again.code, key.read_bytes()) == (1, before)
    assert "--out" in again.err


def test_a_project_is_packed_signed_and_verified(oriel, project, tmp_path):
    root, key = project(), make_key(oriel, tmp_path)
    assert oriel("pack", root).code == 0
    assert oriel("sign", root, "--key", key).code == 0
    trust = tmp_path / "trust.pem"
    trust.write_text(f"Publisher: com.acme\n{key.with_name('key.pem.pub').read_text()}")
    verified = oriel("verify", root, "--trust", trust, "--json")
    assert verified.code == 0
    assert verified.json["publisher"] == "com.acme"


def test_packing_twice_gives_the_same_hash(oriel, project):
    root = project()
    hashes = [oriel("pack", root, "--json").json["content_hash"] for _ in range(2)]
    assert hashes[0] == hashes[1]


def test_a_good_signature_by_an_untrusted_key_does_not_verify(oriel, project, tmp_path):
    root, key = project(), make_key(oriel, tmp_path)
    oriel("pack", root)
    oriel("sign", root, "--key", key)
    trust = tmp_path / "trust.pem"
    trust.write_text(f"Publisher: com.acme\n{generate_key().public.to_pem()}")
    refused = oriel("verify", root, "--trust", trust, "--json")
    assert (refused.code, refused.json["code"]) == (1, "signature_untrusted")


def test_every_mistake_of_a_manifest_is_printed(oriel, project):
    refused = oriel("pack", project(name="Nope", version="1", runtime="java@1"))
    assert refused.code == 1
    assert all(f"- {place}:" in refused.err for place in ("name", "version", "runtime"))


def test_a_missing_bundle_says_how_to_make_it(oriel, project):
    refused = oriel("sign", project(), "--key", __file__)
    assert refused.code == 1
    assert "oriel pack" in refused.err


def test_a_wrong_command_line_exits_with_2(oriel):
    assert oriel("pack", "--no-such-option").code == 2


def test_every_command_has_a_help_text(oriel):
    helped = oriel("--help")
    assert helped.code == 0
    assert all(command in helped.out for command in ("serve", "demo", "publish", "install", "call", "doctor"))
