"""The conformance kit of blob stores: every test of test_blobs.py runs on every backend."""

import pytest

from oriel.blobs import open_blobs


@pytest.fixture(params=["file"])
def blobs(request, tmp_path):
    return open_blobs(f"{request.param}:{tmp_path / 'blobs'}")
