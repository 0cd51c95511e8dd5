"""What is S3's own: checksums, multipart uploads, presigned addresses, lost answers."""

import hashlib

import httpx
import pytest

from oriel.blobs import BlobMismatch, BlobMissing, BlobsUnavailable, BlobTooLarge, open_blobs
from oriel.blobs.s3 import S3Blobs
from oriel.errors import InvalidInput
from oriel.ui import ui_blob_key
from tests.support.aws import new_bucket, s3_client, target
from tests.support.flaky import Flaky
from tests.support.flaky import s3_lost as lost
from tests.support.flaky import s3_refused as refused

SENT = 9_000_000  # the first chunk of a million bytes that fills a part
BUSY = refused("SlowDown", 503)


class Site:
    """One bucket, a client that fails as planned, and the blobs in it."""

    def __init__(self):
        self.bucket = new_bucket()
        self.client = Flaky(s3_client())
        self.blobs = S3Blobs(self.client, self.bucket, "own/", sleep=lambda _: None)

    def objects(self):
        return [entry["Key"] for entry in s3_client().list_objects_v2(Bucket=self.bucket).get("Contents", [])]

    def uploads(self):
        return s3_client().list_multipart_uploads(Bucket=self.bucket).get("Uploads", [])


@pytest.fixture
def site():
    return Site()


def content_hash(data):
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def stream(size, chunk=1_000_000):
    for start in range(0, size, chunk):
        yield bytes([start // chunk % 251]) * min(chunk, size - start)


def test_an_asset_of_a_ui_is_kept_with_the_headers_that_browsers_get(site):
    key = ui_blob_key("com.acme.reports", "0" * 64, "app.js", "br")
    site.blobs.put_new(key, b"1")
    site.blobs.put_new("bundles/sha256/00/manifest.json", b"{}")
    head = s3_client().head_object(Bucket=site.bucket, Key=f"own/{key}")
    kept = (head["ContentType"], head["ContentEncoding"], head["CacheControl"])
    assert kept == ("text/javascript; charset=utf-8", "br", "public, max-age=31536000, immutable")
    other = s3_client().head_object(Bucket=site.bucket, Key="own/bundles/sha256/00/manifest.json")
    assert "CacheControl" not in other


def test_keys_stand_under_the_prefix_and_nothing_else_of_the_bucket_shows(site):
    s3_client().put_object(Bucket=site.bucket, Key="other/a", Body=b"")
    site.blobs.put_new("a/b", b"1")
    assert site.objects() == ["other/a", "own/a/b"]
    assert [info.key for info in site.blobs.list("")] == ["a/b"]
    with pytest.raises(ValueError, match="too long"):
        site.blobs.put_new("/".join(["a" * 255] * 4), b"")


def test_a_short_stream_is_one_request_and_a_long_one_comes_in_parts(site):
    site.blobs.put_stream("staging/short", [b"a", b"b"], limit=10)
    assert site.client.operations == ["put_object"]
    size = 2 * SENT + 5
    assert site.blobs.put_stream("staging/long", stream(size), limit=size).size == size
    assert site.client.operations[1:] == [
        "create_multipart_upload",
        *["upload_part"] * 3,
        "complete_multipart_upload",
    ]
    assert site.blobs.get("staging/long") == b"".join(stream(size))
    with site.blobs.open("staging/long") as opened:
        assert (opened.read(1_000_001), opened.readable()) == (bytes(1_000_000) + b"\1", True)


def test_everything_that_is_sent_carries_its_checksum(site):
    site.blobs.put_new("a", b"1")
    site.blobs.put_stream("staging/a", [b"1"], limit=1)
    site.blobs.put_stream("staging/b", stream(SENT + 1), limit=SENT + 1)
    sent = [asked for operation, asked in site.client.sent if operation in {"put_object", "upload_part"}]
    assert len(sent) == 4
    assert all("ChecksumSHA256" in asked for asked in sent)
    assert site.client.sent[0][1]["IfNoneMatch"] == "*"


@pytest.mark.parametrize("fault", [BlobTooLarge, ConnectionResetError])
def test_a_long_stream_that_fails_is_given_up_and_leaves_nothing(site, fault):
    def breaking():
        yield from stream(2 * SENT)
        if fault is ConnectionResetError:
            raise ConnectionResetError
        yield b"x"

    with pytest.raises(fault):
        site.blobs.put_stream("staging/a", breaking(), limit=2 * SENT)
    assert (site.objects(), site.uploads()) == ([], [])


def test_a_long_stream_that_s3_refuses_is_given_up(site):
    site.client.plan = [None, None, ("before", refused("AccessDenied", 403))]
    with pytest.raises(BlobsUnavailable, match="AccessDenied"):
        site.blobs.put_stream("staging/a", stream(2 * SENT + 1), limit=3 * SENT)
    assert (site.objects(), site.uploads()) == ([], [])
    assert site.client.operations[-1] == "abort_multipart_upload"


def test_the_same_bytes_are_known_by_their_checksum_without_reading_them(site):
    site.blobs.put_new("a", b"same")
    site.client.sent.clear()
    site.blobs.put_new("a", b"same")
    assert site.client.operations == ["put_object", "head_object"]
    with pytest.raises(BlobMismatch):
        site.blobs.put_new("a", b"else")


def test_an_object_without_a_checksum_of_the_whole_is_compared_by_its_bytes(site):
    original = site.client._client.head_object

    def without_checksum(**asked):
        return {name: value for name, value in original(**asked).items() if name != "ChecksumSHA256"}

    site.client.head_object = without_checksum
    site.blobs.put_new("a", b"same")
    site.blobs.put_new("a", b"same")
    with pytest.raises(BlobMismatch):
        site.blobs.put_new("a", b"else")


USES = {
    "put_new": lambda blobs: blobs.put_new("new", b"1"),
    "put_same": lambda blobs: blobs.put_new("a", b"old"),
    "put_stream": lambda blobs: blobs.put_stream("staging/a", [b"1"], limit=1).size,
    "put_parts": lambda blobs: blobs.put_stream("staging/b", stream(SENT + 1), limit=SENT + 1).size,
    "get": lambda blobs: blobs.get("a"),
    "info": lambda blobs: blobs.info("a").size,
    "list": lambda blobs: [info.key for info in blobs.list("a")],
    "delete": lambda blobs: blobs.delete("a"),
}


@pytest.mark.parametrize("name", USES)
def test_every_method_survives_throttling_and_a_lost_answer_at_each_of_its_requests(name):
    quiet = Site()
    quiet.blobs.put_new("a", b"old")
    quiet.client.sent.clear()
    wanted = USES[name](quiet.blobs)
    for at in range(len(quiet.client.sent)):
        for fault in (("before", BUSY), ("before", lost()), ("after", lost())):
            site = Site()
            site.blobs.put_new("a", b"old")
            site.client.plan = [None] * at + [fault]
            assert USES[name](site.blobs) == wanted, (at, fault)
            assert site.objects() == quiet.objects()


@pytest.mark.parametrize("name", USES)
def test_a_bucket_that_never_answers_is_unavailable_after_a_bounded_number_of_attempts(site, name):
    site.client.plan = [("before", BUSY)] * 100
    with pytest.raises(BlobsUnavailable):
        USES[name](site.blobs)
    assert len(site.client.sent) <= 6


def test_an_answer_that_stops_in_the_middle_is_unavailable(site):
    class Stopping:
        def read(self, size=None):
            if size is None or size > 1:
                raise lost()
            return b"x"

        def close(self):
            pass

    site.client.get_object = lambda **_: {"Body": Stopping()}
    with pytest.raises(BlobsUnavailable, match="in the middle"):
        site.blobs.get("a")


def test_a_bucket_that_is_not_there_and_an_address_where_nobody_listens_are_unavailable():
    gone = S3Blobs(s3_client(), "oriel-no-such-bucket")
    for use in (lambda: gone.put_new("a", b""), lambda: list(gone.list("")), lambda: gone.delete("a")):
        with pytest.raises(BlobsUnavailable, match="NoSuchBucket"):
            use()


def test_a_presigned_address_takes_the_announced_bytes_for_a_time(site):
    signed = site.blobs.presign_put("staging/u1", 4, content_hash(b"data"), 60)
    assert "x-amz-checksum-sha256" in signed.headers
    named = httpx.URL(signed.url).params
    assert set(named["X-Amz-SignedHeaders"].split(";")) == {"content-length", "host", "x-amz-checksum-sha256"}
    assert named["X-Amz-Expires"] == "60"
    assert httpx.put(signed.url, content=b"data", headers=signed.headers, trust_env=False).is_success
    assert site.blobs.get("staging/u1") == b"data"
    with pytest.raises(ValueError, match="staging"):
        site.blobs.presign_put("bundles/a", 4, content_hash(b"data"), 60)


def test_what_is_missing_is_missing_and_not_unavailable(site):
    with pytest.raises(BlobMissing), site.blobs.open("a"):
        pass


@pytest.mark.parametrize("rest", ["", "?region=x", "b?endpoint=", "b?x=y"])
def test_a_url_that_is_not_of_the_form_is_refused_with_the_form(rest):
    with pytest.raises(InvalidInput, match=r"s3:BUCKET\[/PREFIX\]"):
        open_blobs(f"s3:{rest}")


def test_blobs_are_opened_by_their_url(site):
    opened = open_blobs(f"s3:{site.bucket}/own?region=eu-central-1&endpoint={target('x').endpoint}")
    assert isinstance(opened, S3Blobs)
