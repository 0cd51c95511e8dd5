"""Publishing: what becomes ready, what is rejected and with which reasons, and what is left behind."""

import json
import threading

import pytest
import zstandard
from msgspec.structs import replace
from wasmtime import wat2wasm

from oriel.bundle import content_hash
from oriel.bundle.frame import compress
from oriel.bundle.tar import write_tar
from oriel.engine.config import current_fingerprint
from oriel.errors import OrielError
from oriel.native_code import digest_of
from oriel.provenance import (
    Artifact,
    artifact_key,
    artifact_statement_key,
    index_key,
    sign_artifact,
    verify_artifact,
    verify_index,
)
from oriel.signing import generate_key
from registry.compiling import Compiled, CompilerLost
from registry.publish import MAX_ATTEMPTS, Publishing
from tests.guests import hostile
from tests.guests.alga import small
from tests.guests.build import guest
from tests.registry.stage import ACME, AUTHOR, NAME, OPERATOR, RememberingCompiler, Stage, project, signed


def codes(upload):
    return [code for code, _, _ in upload.findings]


def keys(stage, prefix=""):
    return [blob.key for blob in stage.blobs.list(prefix)]


def test_a_signed_bundle_becomes_a_version_with_all_its_blobs(stage):
    packed = project(files={"index.html": b"<p>", "app/main.js": b"1"})
    upload = stage.publish(packed)
    assert (upload.state, upload.extension_id, upload.version) == ("ready", NAME, "1.0.0")
    digits = packed.content_hash.removeprefix("sha256:")
    component = content_hash(hostile.HELLO).removeprefix("sha256:")
    folder, artifacts = f"bundles/sha256/{digits}", f"artifacts/{current_fingerprint()}/sha256/{component}"
    assert keys(stage) == sorted(
        [
            f"{artifacts}.cwasm.zst",
            f"{artifacts}.dsse.json",
            *(f"{folder}/{name}" for name in ("bundle.tar.zst", "component.wasm", "index.dsse.json")),
            *(f"{folder}/{name}" for name in ("manifest.json", "signature.dsse.json")),
            *(f"ext-ui/{NAME}/{digits}{form}/app/main.js" for form in ("", ".br", ".gzip")),
            *(f"ext-ui/{NAME}/{digits}{form}/index.html" for form in ("", ".br", ".gzip")),
        ]
    )
    version = stage.store.get_version(NAME, "1.0.0")
    assert (version.content_hash, version.signer_key_id) == (packed.content_hash, ACME.key_id)
    assert (version.published_by, version.status) == (AUTHOR, "ready")
    assert stage.store.get_bundle(packed.content_hash).size == len(packed.data)


def test_the_platform_vouches_for_the_bundle_and_for_its_native_code(stage):
    packed = project(component=hostile.LOG_ONCE, capabilities=["storage.kv"])
    stage.publish(packed)
    platform = stage.registry.platform_keys
    index = verify_index(
        stage.blobs.get(index_key(packed.content_hash)), content_hash=packed.content_hash, keys=platform
    )
    assert (index.extension_id, index.publisher, index.signer_key_id) == (NAME, "com.acme", ACME.key_id)
    assert index.capabilities == ("storage.kv",)
    assert "oriel:extension/log@1.0.0" in index.interfaces
    asked = {"component_digest": index.component_digest, "fingerprint": current_fingerprint()}
    artifact = verify_artifact(
        stage.blobs.get(artifact_statement_key(asked["fingerprint"], asked["component_digest"])), **asked, keys=platform
    )
    packed_code = stage.blobs.get(artifact_key(asked["fingerprint"], asked["component_digest"]))
    code = zstandard.ZstdDecompressor().decompress(packed_code, max_output_size=artifact.size)
    assert digest_of(code) == artifact.digest


def test_the_same_bytes_again_are_ready_at_once(stage):
    packed = project()
    first = stage.publish(packed)
    again, new = stage.uploads.open(AUTHOR, packed.content_hash, len(packed.data))
    assert (again.upload_id, again.state, new) == (first.upload_id, "ready", False)
    other = stage.publish(packed, author="/bob")
    assert (other.state, other.upload_id != first.upload_id) == ("ready", True)
    assert stage.store.get_version(NAME, "1.0.0").published_by == AUTHOR


def test_the_same_version_with_other_bytes_is_a_conflict(stage):
    stage.publish(project())
    other = project(title="Other")
    with pytest.raises(OrielError) as refused:
        stage.publish(other)
    assert (refused.value.code, refused.value.status) == ("version_exists", 409)
    assert stage.uploads.open(AUTHOR, other.content_hash, len(other.data))[0].state == "open"
    assert stage.store.get_version(NAME, "1.0.0").manifest["title"] == "Notes"


def test_every_reason_is_given_at_once(stage):
    upload = stage.finalized(project(title="Other"), signed(project(title="Other"), generate_key()))
    stage.publish(project())
    stage.publishers.revoke(OPERATOR, "com.acme")
    upload = stage.publishing.run(upload)
    assert codes(upload) == ["forbidden", "version_exists", "signature_untrusted"]


def test_three_mistakes_in_a_manifest_are_three_reasons(stage):
    good = project()
    broken = with_broken_manifest(good)
    upload = stage.publish(broken, {"payloadType": "x"})
    assert sorted((code, at) for code, at, _ in upload.findings) == [
        ("invalid_manifest", at) for at in ("extra", "title", "version")
    ]


def with_broken_manifest(good):
    """A bundle whose manifest no packer would pack."""
    manifest = good.manifest.to_json() | {"version": "one", "title": "", "extra": 1}
    data = compress(write_tar({"manifest.json": json.dumps(manifest).encode(), "dist/main.wasm": hostile.HELLO}))
    return replace(good, data=data, content_hash=content_hash(data))


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda packed, envelope: envelope | {"signatures": []}, "signature_missing"),
        (lambda packed, envelope: envelope | {"payloadType": "text/plain"}, "signature_invalid"),
        (lambda packed, envelope: signed(project("9.9.9")), "signature_invalid"),
        (lambda packed, envelope: signed(packed, version="9.9.9"), "signature_invalid"),
        (lambda packed, envelope: signed(packed, publisher="com.evil"), "signature_invalid"),
        (lambda packed, envelope: signed(packed, generate_key()), "signature_untrusted"),
    ],
)
def test_a_signature_that_does_not_fit_is_a_reason(stage, spoil, code):
    packed = project()
    upload = stage.publish(packed, spoil(packed, signed(packed)))
    assert (upload.state, codes(upload)) == ("rejected", [code])


def test_a_revoked_or_expired_key_publishes_nothing(stage):
    stage.publishers.revoke_key(OPERATOR, "com.acme", ACME.key_id)
    assert codes(stage.publish(project())) == ["signature_untrusted"]
    other = generate_key("ecdsa-p256")
    stage.publishers.add_key(OPERATOR, "com.acme", other.public.to_pem(), 0, 1000)
    assert codes(stage.publish(project("1.0.1"), signed(project("1.0.1"), other))) == ["signature_untrusted"]


def test_another_publishers_key_does_not_speak_for_this_one(stage):
    evil = generate_key()
    stage.add_publisher("com.evil", evil)
    packed = project()
    assert codes(stage.publish(packed, signed(packed, evil))) == ["signature_untrusted"]


def test_an_unknown_publisher_is_a_reason(stage):
    packed = project(name="org.nobody.x", publisher="org.nobody")
    assert "forbidden" in codes(stage.publish(packed))


def test_a_publisher_publishes_only_under_the_names_it_owns(stage):
    stage.publishers.register(OPERATOR, "com.acme", ["com.acme.tools"])
    upload = stage.publish(project())
    assert codes(upload) == ["forbidden"]
    assert "com.acme.tools" in upload.findings[0][2]


@pytest.mark.parametrize(
    "component",
    [
        bytes(wat2wasm("(component)")),
        bytes(wat2wasm('(component (import "evil:host/api@1.0.0" (instance (export "run" (func)))))')),
        hostile.HELLO[:-20],
    ],
)
def test_a_component_that_is_none_of_ours_is_rejected(stage, component):
    upload = stage.publish(project(component=component))
    assert (upload.state, set(codes(upload))) == ("rejected", {"invalid_component"})
    assert keys(stage) == []


def test_a_component_that_imports_more_than_its_manifest_asks_for_is_rejected(stage):
    greedy = guest("unreachable", imports=("storage.get", "user.get"))
    upload = stage.publish(project(component=greedy))
    assert set(codes(upload)) == {"invalid_component"}
    assert {at for _, at, _ in upload.findings} == {
        "imports.oriel:extension/storage@1.0.0",
        "imports.oriel:extension/user@1.0.0",
    }
    assert stage.publish(project(component=greedy, capabilities=["storage.kv", "user.read"])).state == "ready"


def test_nothing_of_a_rejected_bundle_is_kept_or_shown(stage):
    upload = stage.publish(project(), signed(project(), generate_key()))
    assert upload.state == "rejected"
    assert keys(stage) == []
    assert stage.store.get_extension(NAME) is None


def test_a_rejected_bundle_can_be_tried_again_when_its_reason_is_gone(stage):
    key = generate_key()
    packed = project()
    first = stage.publish(packed, signed(packed, key))
    stage.publishers.add_key(OPERATOR, "com.acme", key.public.to_pem(), 0)
    second = stage.publish(packed, signed(packed, key))
    assert (first.state, second.state, first.upload_id != second.upload_id) == ("rejected", "ready", True)


def test_nothing_shows_before_the_last_step(stage):
    upload = stage.finalized(project())
    while upload.state != "compiled":
        upload = stage.publishing.step(upload)
        assert stage.store.get_version(NAME, "1.0.0") is None
        assert stage.store.list_extensions().items == ()
    assert stage.publishing.step(upload).state == "ready"


def test_a_key_revoked_between_two_steps_stops_the_publication(stage):
    upload = stage.publishing.step(stage.publishing.step(stage.finalized(project())))
    stage.publishers.revoke_key(OPERATOR, "com.acme", ACME.key_id)
    assert stage.publishing.step(upload).state == "rejected"
    assert stage.store.get_version(NAME, "1.0.0") is None


def test_staging_is_empty_when_a_session_has_ended(stage):
    other = stage.finalized(project(title="Other"))
    stage.publish(project())
    assert stage.publishing.run(other).state == "rejected"
    assert keys(stage, "staging/") == []


def test_staging_is_swept_of_what_no_session_needs(stage):
    kept = stage.finalized(project())
    stage.blobs.put_stream("staging/upl_unknown", [b"x"], limit=1)
    stage.blobs.put_stream("staging/upl_unknown.dsse.json", [b"x"], limit=1)
    assert stage.uploads.sweep_staging() == 2
    assert keys(stage, "staging/") == [f"staging/{kept.upload_id}", f"staging/{kept.upload_id}.dsse.json"]


def test_of_two_publishers_of_one_version_one_wins_and_the_other_is_told(tmp_path):
    stages = [Stage(tmp_path) for _ in range(2)]
    stages[0].add_publisher()
    bundles = [project(title=title) for title in ("One", "Two")]
    uploads = [stage.finalized(packed) for stage, packed in zip(stages, bundles, strict=True)]
    for index, stage in enumerate(stages):
        while uploads[index].state != "compiled":
            uploads[index] = stage.publishing.step(uploads[index])
    barrier, ends = threading.Barrier(2), [None, None]

    def finish(index):
        barrier.wait()
        ends[index] = stages[index].publishing.run(uploads[index])

    threads = [threading.Thread(target=finish, args=(index,)) for index in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(end.state for end in ends) == ["ready", "rejected"]
    assert [codes(end) for end in ends if end.state == "rejected"] == [["version_exists"]]
    winner = bundles[[end.state for end in ends].index("ready")]
    assert stages[0].store.get_version(NAME, "1.0.0").content_hash == winner.content_hash
    for stage in stages:
        stage.close()


def test_of_two_workers_on_one_session_one_moves_it(tmp_path, stage):
    upload = stage.finalized(project())
    other = Stage(tmp_path)
    moved = stage.publishing.step(upload)
    with pytest.raises(OrielError) as refused:
        other.publishing.step(upload)
    assert refused.value.code == "conflict"
    assert other.publishing.run(moved).state == "ready"
    other.close()


def test_native_code_without_the_platforms_word_is_made_again(stage):
    digest = content_hash(hostile.HELLO)
    stage.blobs.put_new(artifact_key(current_fingerprint(), digest), b"planted")
    assert stage.publish(project()).state == "ready"
    packed = stage.blobs.get(artifact_key(current_fingerprint(), digest))
    assert zstandard.ZstdDecompressor().decompress(packed) == RememberingCompiler().compile(hostile.HELLO).cwasm


def test_native_code_that_somebody_else_vouched_for_is_made_again(stage):
    digest, fingerprint = content_hash(hostile.HELLO), current_fingerprint()
    planted = Artifact(component_digest=digest, fingerprint=fingerprint, digest=digest_of(b"evil"), size=4)
    stage.blobs.put_new(artifact_key(fingerprint, digest), zstandard.compress(b"evil"))
    stage.blobs.put_new(artifact_statement_key(fingerprint, digest), sign_artifact(planted, generate_key()))
    stage.publish(project())
    envelope = stage.blobs.get(artifact_statement_key(fingerprint, digest))
    keys_ = stage.registry.platform_keys
    stored = verify_artifact(envelope, component_digest=digest, fingerprint=fingerprint, keys=keys_)
    assert stored.digest == digest_of(RememberingCompiler().compile(hostile.HELLO).cwasm)


def test_one_artifact_serves_all_versions_with_the_same_component(stage):
    stage.publish(project())
    before = keys(stage, "artifacts/")
    stage.publish(project("1.1.0"))
    assert keys(stage, "artifacts/") == before


class FailingCompiler:
    def __init__(self, error):
        self.error = error

    def compile(self, component):
        raise self.error


def test_a_fault_that_nobody_foresaw_is_tried_again_and_ends_in_a_rejection(stage):
    upload = stage.publishing.step(stage.finalized(project()))
    failing = Publishing(stage.registry, FailingCompiler(RuntimeError("canary")))
    for _ in range(MAX_ATTEMPTS):
        with pytest.raises(RuntimeError):
            failing.step(stage.store.get_upload(upload.upload_id))
    ended = failing.step(stage.store.get_upload(upload.upload_id))
    assert (ended.state, codes(ended)) == ("rejected", ["internal"])
    assert "canary" not in str(ended)


def test_an_outage_is_waited_out_however_long_it_lasts(stage):
    upload = stage.publishing.step(stage.finalized(project()))
    failing = Publishing(stage.registry, FailingCompiler(CompilerLost()))
    for _ in range(3 * MAX_ATTEMPTS):
        with pytest.raises(OrielError):
            failing.step(stage.store.get_upload(upload.upload_id))
    assert stage.publishing.run(stage.store.get_upload(upload.upload_id)).state == "ready"


def test_a_compiler_that_lies_about_imports_cannot_widen_what_is_asked(stage):
    lying = Compiled(b"code", "f" * 64, {"oriel:extension/storage@1.0.0": {}}, "oriel")

    class Lying:
        def compile(self, component):
            return lying

    upload = Publishing(stage.registry, Lying()).run(stage.finalized(project()))
    assert codes(upload) == ["invalid_component"]


def test_a_staged_bundle_that_was_changed_is_rejected(stage):
    upload = stage.finalized(project())
    stage.blobs.put_stream(f"staging/{upload.upload_id}", [project("2.0.0").data], limit=10**7)
    assert codes(stage.publishing.run(upload)) == ["hash_mismatch"]


def test_a_component_of_alga_extension_asks_for_nothing_by_its_imports(stage):
    wasm = small("storage.get", "clients.list-clients", "scheduler.list-schedules")
    upload = stage.publish(project(component=wasm))
    assert (upload.state, upload.findings) == ("ready", ())
    envelope = stage.blobs.get(index_key(upload.content_hash))
    index = verify_index(envelope, content_hash=upload.content_hash, keys=[stage.registry.platform_key.public])
    assert (index.handler, index.capabilities) == ("alga", ())


def test_its_capabilities_are_asked_for_like_any_other(stage):
    asked = ["cap:client.read", "cap:ui.proxy", "cap:scheduler.manage", "cap:invoice.manual.create", "cap:service.read"]
    upload = stage.publish(project(component=small("clients.list-clients"), capabilities=asked))
    assert upload.state == "ready"


def test_what_is_asked_for_and_never_imported_is_a_warning_of_a_version_that_is_ready(stage):
    asked = [{"name": name, "purpose": "For later."} for name in ("log.emit", "storage.kv", "user.read")]
    upload = stage.publish(project(component=guest("unreachable", imports=("storage.get",)), capabilities=asked))
    assert upload.state == "ready"
    assert [(code, at) for code, at, _ in upload.findings] == [("unused_capability", "capabilities[2]")]
    assert "user.read" in upload.findings[0][2]
