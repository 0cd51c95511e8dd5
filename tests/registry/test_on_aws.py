"""Publishing with the registry on DynamoDB and S3: the bytes go to the bucket by an address of its own."""

import httpx
import pytest

from oriel.blobs.s3 import S3Blobs
from oriel.client import PlatformClient
from oriel.clock import now_ms
from oriel.errors import OrielError
from registry.app import create_app
from registry.worker import PublishWorker
from tests.registry.stage import NAME, Stage, project, signed
from tests.registry.test_api import Platform, authenticate
from tests.support.aws import CREDENTIALS, new_bucket, new_table, open_dynamodb, target
from tests.support.serving import Port


@pytest.fixture
def platform(tmp_path):
    table, bucket = new_table(), new_bucket()
    stage = Stage(
        tmp_path,
        wrap_store=lambda local: local.close() or open_dynamodb(table, now_ms),
        wrap_blobs=lambda _: S3Blobs.at(target(bucket), CREDENTIALS),
    )
    stage.add_publisher()
    worker = PublishWorker(stage.registry)
    app = create_app(stage.registry, authenticate, wake=worker.wake)
    with Port().serve(app) as origin, httpx.Client(base_url=origin, trust_env=False) as http:
        yield Platform(stage, worker, http)
    stage.close()


def test_a_bundle_is_published_by_way_of_the_buckets_own_address(platform):
    packed, states = project(), []
    session = platform.opened(packed).json()
    assert session["upload_url"].startswith(target("x").endpoint)
    assert session["upload_headers"].keys() == {"x-amz-checksum-sha256"}
    platform.worker.start()
    with PlatformClient(str(platform.http.base_url), "publisher") as client:
        assert client.publish(packed.data, signed(packed), states.append)["state"] == "ready"
        assert client.publish(packed.data, signed(packed))["state"] == "ready"
    platform.worker.stop()
    assert states[0].startswith("uploading")
    assert platform.stage.store.get_version(NAME, "1.0.0").content_hash == packed.content_hash
    assert list(platform.stage.blobs.list("staging/")) == []


def test_a_session_past_its_upload_has_no_address_in_the_bucket(platform):
    packed = project()
    upload = platform.stage.finalized(packed)
    view = platform.call("GET", f"/uploads/{upload.upload_id}", "publisher").json()
    assert (view["upload_url"], view["upload_headers"]) == (f"/api/v1/uploads/{upload.upload_id}/bundle", {})


def test_the_buckets_address_never_sees_the_token(platform, monkeypatch):
    seen = []

    def answering(url, **request):
        seen.append({name.lower() for name in request["headers"]})
        return httpx.Response(403)

    monkeypatch.setattr(httpx, "put", answering)
    packed = project()
    with PlatformClient(str(platform.http.base_url), "publisher") as client, pytest.raises(OrielError, match="403"):
        client.publish(packed.data, signed(packed))
    assert seen == [{"content-type", "x-amz-checksum-sha256"}]
