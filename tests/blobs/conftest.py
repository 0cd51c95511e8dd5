"""The conformance kit of blob stores: every test of test_blobs.py runs on every backend."""

import pytest

from oriel.blobs import open_blobs


def file(folder):
    return open_blobs(f"file:{folder / 'blobs'}")


def s3(_folder, prefix=""):
    from oriel.blobs.s3 import S3Blobs
    from tests.support.aws import CREDENTIALS, new_bucket, target

    return S3Blobs.at(target(new_bucket() + prefix), CREDENTIALS)


def s3_under_a_prefix(folder):
    return s3(folder, "/some/where")


BACKENDS = {"file": file, "s3": s3, "s3-prefix": s3_under_a_prefix}


@pytest.fixture(params=BACKENDS)
def blobs(request, tmp_path):
    return BACKENDS[request.param](tmp_path)
