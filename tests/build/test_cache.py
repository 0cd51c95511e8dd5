"""What builds keep: made by one, waited for by the others, whole whenever it is there."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from oriel.build.tools import made_once


def test_of_many_at_once_one_makes_it_and_all_have_it(tmp_path):
    made, together = [], threading.Barrier(4)

    def make(target):
        made.append(target)
        target.write_text("half")
        assert not (tmp_path / "cache" / "thing").exists()
        target.write_text("whole")

    def take(_):
        together.wait()
        return made_once(tmp_path / "cache" / "thing", make).read_text()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(take, range(4))) == ["whole"] * 4
    assert len(made) == 1


def test_what_could_not_be_made_leaves_nothing_and_is_tried_again(tmp_path):
    def fail(target):
        target.mkdir()
        (target / "half").touch()
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        made_once(tmp_path / "thing", fail)
    assert list(tmp_path.iterdir()) == []
    assert made_once(tmp_path / "thing", lambda target: target.touch()).is_file()


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path):
    (tmp_path / "making-left").mkdir()
    made_once(tmp_path / "thing", lambda target: target.touch())
    assert [path.name for path in tmp_path.iterdir()] == ["thing"]
