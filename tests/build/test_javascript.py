"""The JavaScript of the guest library and of the examples, by Node.js' own test runner. Without Node.js this fails."""

import subprocess
from pathlib import Path

import pytest

from oriel.build.toolchain import find_node

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("file", ["tests/build/library.test.mjs", "tests/examples/score.test.mjs"])
def test_javascript_units_hold(file):
    finished = subprocess.run([find_node().node, "--test", file], cwd=ROOT, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout
