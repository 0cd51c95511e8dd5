"""Run a command under limits: `python -m registry.limited MEMORY_MB CPU_SECONDS FILE_MB COMMAND…`.

The limits are set by the process itself before it becomes the command: setting them between `fork` and `exec` is not
safe in a process with threads, and setting them from outside leaves a moment without. The command ends with the
thread that started it.
"""

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_NICE = 10
_OPEN_FILES = 64


def main(arguments: Sequence[str]) -> None:
    memory_mb, cpu_seconds, file_mb, *command = arguments
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    cpu = int(cpu_seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))  # SIGXCPU at the first, which tells why it ended
    for limit, value in (
        (resource.RLIMIT_AS, int(memory_mb) << 20),
        (resource.RLIMIT_FSIZE, int(file_mb) << 20),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))
    os.nice(_NICE)
    os.execv(command[0], command)  # noqa: S606 - the command is the registry's own


if __name__ == "__main__":
    main(sys.argv[1:])
