"""Backup and restore, as the guides say: of one machine by its folder, of PostgreSQL by its own programs.

After it, what was published answers with its secrets and records, and the audit's chains are whole.
"""

import re
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest

from oriel.local import LocalPlatform
from oriel.settings import Settings
from tests.guests.build import guest
from tests.support.platform import client, publish, register_acme
from tests.support.postgres import APPLICATION, binaries, create_migrated, shared_server

ROOT = Path(__file__).parents[2]
NAME = "com.acme.keeps"
KEEPS = guest(
    """(call $storage.get (i32.const 1024) (i32.const 3) (i32.const 2048))
       (if (i32.eqz (i32.load (i32.const 2056))) (then
         (call $storage.put (i32.const 1024) (i32.const 3) (i32.const 1) (i32.const 1024) (i32.const 3)
           (i32.const 0) (i64.const 0) (i32.const 0) (i64.const 0) (i32.const 2048))
         (return (call $respond (i32.const 201)
           (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))))
       (call $respond (i32.const 200) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))""",
    imports=("storage.get", "storage.put"),
    data="key",
)
"""Answers 201 where it had kept nothing, and keeps it; 200 where it had."""
