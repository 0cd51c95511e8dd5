"""Other processes, as a test that waits for their end sees them."""

import os
from pathlib import Path


def is_alive(pid: int) -> bool:
    """Whether a process runs still; one that has ended and waits for its parent to notice does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
