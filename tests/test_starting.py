"""Whoever starts in order to answer puts garbage off, and none forgets to look for it afterwards."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STARTS = ("gateway/on_lambda.py", "registry/on_lambda.py", "runner/on_lambda.py", "runner/__main__.py")
WATCHED = """
import gc
from oriel.starting import started
before = gc.isenabled()
import json
started()
print(before, gc.isenabled(), gc.get_freeze_count() > 0)
"""


def test_garbage_is_looked_for_once_a_process_has_started_and_what_it_made_stays():
    done = subprocess.run([sys.executable, "-c", WATCHED], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True", "True"]


@pytest.mark.parametrize("path", STARTS)
def test_whoever_puts_garbage_off_puts_it_off_first_and_ends_that(path):
    code = ast.parse((ROOT / "functions" / path).read_text())
    imports = [node for node in code.body if isinstance(node, ast.ImportFrom | ast.Import)]
    assert isinstance(imports[0], ast.ImportFrom)
    assert imports[0].module in {"oriel.starting", "registry.starting"}
    calls = [node.func.id for node in ast.walk(code) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    assert calls.count("started") == 1
