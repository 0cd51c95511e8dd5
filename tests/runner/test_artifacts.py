"""Artifacts on disk: what is verified, what is kept, and what a crash leaves."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from oriel.blobs.base import BlobMissing
from oriel.errors import OrielError
from oriel.native_code import digest_of
from oriel.provenance import artifact_key, index_key
from oriel.signing import generate_key
from runner import artifacts as module
from runner.components import Components
from tests.runner.small_platform import digest

COMPONENT = digest(b"component")
NATIVE = b"native code " * 10_000


def refusal(artifacts, content_hash):
    with pytest.raises(OrielError) as refused:
        artifacts.path_for(content_hash)
    assert refused.value.code == "artifact_unavailable"
    return refused.value.detail


def files(platform):
    return sorted(path.name for path in (platform.cache / platform.fingerprint).iterdir())


class Counting:
    """Blobs that count what is opened, and can be made to wait or to break."""

    def __init__(self, blobs):
        self._blobs = blobs
        self.opened = []
        self.gate = threading.Event()
        self.gate.set()
        self.fails = False

    def get(self, key):
        return self._blobs.get(key)

    def open(self, key):
        self.opened.append(key)
        assert self.gate.wait(10)
        if self.fails:
            raise BlobMissing(key)
        return self._blobs.open(key)


@pytest.fixture
def counting(platform):
    platform.blobs = Counting(platform.blobs)
    return platform.blobs


def test_an_artifact_is_unpacked_once_and_its_index_told(platform):
    content_hash = platform.store(COMPONENT, NATIVE)
    path, index = platform.artifacts().path_for(content_hash)
    assert path.read_bytes() == NATIVE
    assert index.extension_id == "com.acme.reports"
    assert files(platform) == [path.name]


def test_the_cache_is_this_users_alone(platform):
    path, _ = platform.artifacts().path_for(platform.store(COMPONENT, NATIVE))
    assert platform.cache.stat().st_mode & 0o777 == 0o700
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert path.stat().st_mode & 0o077 == 0


def test_a_cache_that_others_may_enter_is_refused(platform):
    platform.cache.mkdir(mode=0o755)
    with pytest.raises(OrielError, match="this user alone"):
        platform.artifacts()


def test_two_versions_of_one_component_share_the_file(platform):
    first = platform.store(COMPONENT, NATIVE, version="1.0.0")
    second = platform.store_index(COMPONENT, version="1.0.1")
    artifacts = platform.artifacts()
    assert artifacts.path_for(first)[0] == artifacts.path_for(second)[0]
    assert len(files(platform)) == 1


def test_a_second_use_reads_no_blob(platform):
    artifacts, content_hash = platform.artifacts(), platform.store(COMPONENT, NATIVE)
    path, _ = artifacts.path_for(content_hash)
    platform.blobs.delete(artifact_key(platform.fingerprint, COMPONENT))
    platform.blobs.delete(index_key(content_hash))
    assert artifacts.path_for(content_hash)[0] == path


def test_an_artifact_for_another_engine_is_not_there(platform):
    content_hash = platform.store_index(COMPONENT)
    assert "not compiled for this engine" in refusal(platform.artifacts(), content_hash)


def test_a_bundle_without_an_index_is_not_there(platform):
    assert "no verified bundle" in refusal(platform.artifacts(), digest(b"nothing"))


def test_an_index_signed_by_another_key_is_refused(platform):
    stranger = generate_key("ed25519")
    content_hash = platform.store_index(COMPONENT, key=stranger)
    assert "not signed by the platform" in refusal(platform.artifacts(), content_hash)


def test_an_index_copied_to_another_bundle_is_refused(platform):
    envelope = platform.blobs.get(index_key(platform.store(COMPONENT, NATIVE)))
    other = digest(b"another bundle")
    platform.blobs.put_new(index_key(other), envelope)
    refusal(platform.artifacts(), other)


def test_native_code_with_another_digest_than_the_signed_one_is_never_kept(platform):
    platform.store_artifact(COMPONENT, NATIVE, digest=digest_of(b"good code"))
    assert "another digest" in refusal(platform.artifacts(), platform.store_index(COMPONENT))
    assert files(platform) == []


def test_an_artifact_that_unpacks_to_more_than_was_signed_is_stopped(platform):
    platform.store_artifact(COMPONENT, b"\0" * 50_000_000, size=1_000)
    assert "larger" in refusal(platform.artifacts(), platform.store_index(COMPONENT))
    assert files(platform) == []


def test_an_artifact_that_is_no_zstd_is_refused(platform):
    content_hash = platform.store(COMPONENT, NATIVE)
    platform.blobs.delete(artifact_key(platform.fingerprint, COMPONENT))
    platform.blobs.put_new(artifact_key(platform.fingerprint, COMPONENT), b"garbage")
    assert "cannot be unpacked" in refusal(platform.artifacts(), content_hash)


def test_a_truncated_artifact_is_refused(platform):
    content_hash = platform.store(COMPONENT, os.urandom(100_000))
    key = artifact_key(platform.fingerprint, COMPONENT)
    packed = platform.blobs.get(key)
    platform.blobs.delete(key)
    platform.blobs.put_new(key, packed[: len(packed) // 2])
    refusal(platform.artifacts(), content_hash)
    assert files(platform) == []


def test_a_file_changed_on_disk_is_found_by_the_next_process_and_replaced(platform):
    content_hash = platform.store(COMPONENT, NATIVE)
    path, _ = platform.artifacts().path_for(content_hash)
    path.write_bytes(NATIVE[:-1] + b"X")
    again, _ = platform.artifacts().path_for(content_hash)
    assert again.read_bytes() == NATIVE


def test_a_good_file_is_used_by_the_next_process_without_a_download(platform, counting):
    content_hash = counting._blobs and platform_store(platform, counting)
    platform.artifacts().path_for(content_hash)
    platform.artifacts().path_for(content_hash)
    assert len(counting.opened) == 1


def platform_store(platform, counting):
    """Store through the blobs behind the counting ones."""
    platform.blobs = counting._blobs
    content_hash = platform.store(COMPONENT, NATIVE)
    platform.blobs = counting
    return content_hash


def test_a_crash_in_the_middle_of_a_download_leaves_nothing_that_is_used(platform):
    content_hash = platform.store(COMPONENT, NATIVE)
    artifacts = platform.artifacts()
    leftover = platform.cache / platform.fingerprint / f"{module.PART}crashed"
    leftover.write_bytes(NATIVE[:100])
    path, _ = artifacts.path_for(content_hash)
    assert path.read_bytes() == NATIVE


def test_what_crashes_left_is_swept_after_a_while(platform):
    artifacts, content_hash = platform.artifacts(), platform.store(COMPONENT, NATIVE)
    old, young = (platform.cache / platform.fingerprint / f"{module.PART}{name}" for name in ("old", "young"))
    for leftover in (old, young):
        leftover.write_bytes(b"half")
    hours_ago = time.time() - 2 * module.PART_LIFETIME
    os.utime(old, (hours_ago, hours_ago))
    artifacts.path_for(content_hash)
    assert not old.exists()
    assert young.exists()


def test_the_least_recently_used_files_go_first(platform):
    artifacts = platform.artifacts(max_bytes=2 * len(NATIVE))
    hashes = [platform.store(digest(str(at).encode()), NATIVE) for at in range(3)]
    first, second = (artifacts.path_for(content_hash)[0] for content_hash in hashes[:2])
    for path, used_at in ((first, 2_000), (second, 1_000)):
        os.utime(path, (used_at, used_at))
    third, _ = artifacts.path_for(hashes[2])
    assert files(platform) == sorted([first.name, third.name])
    assert artifacts.path_for(hashes[1])[0].read_bytes() == NATIVE


def test_a_file_larger_than_the_bound_is_still_served(platform):
    artifacts = platform.artifacts(max_bytes=10)
    assert artifacts.path_for(platform.store(COMPONENT, NATIVE))[0].read_bytes() == NATIVE


def test_threads_and_processes_that_want_one_artifact_download_it_once(platform, counting):
    content_hash = platform_store(platform, counting)
    everyone = [platform.artifacts() for _ in range(4)]  # as in four processes: they share the directory alone
    counting.gate.clear()
    with ThreadPoolExecutor(8) as threads:
        paths = [threads.submit(artifacts.path_for, content_hash) for artifacts in everyone * 2]
        counting.gate.set()
        assert {path.result(10)[0].read_bytes() for path in paths} == {NATIVE}
    assert len(counting.opened) == 1


def test_another_component_is_served_while_one_is_downloaded(platform, counting):
    platform.blobs = counting._blobs
    slow = platform.store(digest(b"slow"), NATIVE)
    other = platform.store(digest(b"other one"), NATIVE)
    assert digest(b"slow")[7] != digest(b"other one")[7], "both behind one lock file"
    warm = platform.artifacts()
    warm.path_for(other)
    platform.blobs = counting
    counting.gate.clear()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(platform.artifacts().path_for, slow)
        assert warm.path_for(other)[0].exists()
        assert platform.artifacts().path_for(other)[0].exists()
        assert not waiting.done()
        counting.gate.set()
        waiting.result(10)


@pytest.fixture
def components(platform):
    made = []

    def make(load=lambda path: path.read_bytes(), max_bytes=10**9):
        made.append(Components(platform.artifacts(), load, max_bytes=max_bytes))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_requests_for_a_component_that_is_not_there_map_it_once(platform, components):
    content_hash, loads = platform.store(COMPONENT, NATIVE), []
    cache = components(lambda path: loads.append(path) or path.read_bytes())
    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda _: cache.get(content_hash, 10)[0].component, range(8)))
    assert results == [NATIVE] * 8
    assert len(loads) == 1


def test_a_request_waits_no_longer_than_its_deadline_and_the_next_one_profits(platform, counting, components):
    content_hash = platform_store(platform, counting)
    cache = components()
    counting.gate.clear()
    with pytest.raises(OrielError) as late:
        cache.get(content_hash, 0.01)
    assert late.value.code == "deadline_exceeded"
    counting.gate.set()
    assert cache.get(content_hash, 10)[0].component == NATIVE
    assert len(counting.opened) == 1


def test_a_failure_is_not_remembered(platform, counting, components):
    content_hash = platform_store(platform, counting)
    cache = components()
    counting.fails = True
    with pytest.raises(OrielError):
        cache.get(content_hash, 10)
    counting.fails = False
    assert cache.get(content_hash, 10)[0].component == NATIVE


def test_a_file_evicted_between_finding_and_mapping_is_fetched_again(platform, components):
    content_hash, evicted = platform.store(COMPONENT, NATIVE), []

    def load(path):
        if not evicted:
            evicted.append(path)
            path.unlink()
        return path.read_bytes()

    assert components(load).get(content_hash, 10)[0].component == NATIVE


def test_the_least_recently_used_components_leave_memory(platform, components):
    hashes = [platform.store(digest(str(at).encode()), NATIVE) for at in range(3)]
    cache = components(max_bytes=2 * len(NATIVE))
    for content_hash in (hashes[0], hashes[1], hashes[0], hashes[2]):
        cache.get(content_hash, 10)
    assert [cache.get(content_hash, 10)[1] for content_hash in (hashes[0], hashes[2], hashes[1])] == [
        False,
        False,
        True,
    ]
