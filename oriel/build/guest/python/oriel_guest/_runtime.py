"""The standard library, made to work inside a component.

A component has no clock, no randomness, no terminal and no files of its own: reaching for one ends the execution
without a word. `install` is called before the extension's code is imported and leads these ways to the host:

- `time.time` and its kin, `datetime.now`, `date.today`: the host's clock;
- `os.urandom`, and with it `uuid`, `secrets` and `random`: the host's randomness. `random` is seeded anew for every
  request: the snapshot would give every request the same numbers;
- `print`, `sys.stderr`, `warnings` and `logging`: the extension's log;
- `open`: `FileNotFoundError`. Read files at the top of a module; what was read is in the snapshot.

`seal` is called after it. While requests are served, modules and source lines come from what is loaded already, and
an import that comes too late is an `ImportError` that says so.
"""

import builtins
import datetime as dt
import errno
import importlib
import io
import linecache
import logging
import os
import random
import sys
import time
import traceback
from importlib.machinery import PathFinder
from typing import Any, NoReturn

from oriel_guest import context, log

# Modules that the standard library imports only when they are needed, which is too late in a component.
_NEEDED_LATER = (
    "_strptime",
    "encodings.ascii",
    "encodings.idna",
    "encodings.latin_1",
    "encodings.punycode",
)
_LEVELS = ((logging.ERROR, "error"), (logging.WARNING, "warn"), (logging.INFO, "info"))

_serving = False


def install() -> None:
    """Lead clock, randomness and output to the host, once requests are served; until then all is as usual."""
    for name, ask in {
        "time": lambda: context.now_ms() / 1000,
        "time_ns": lambda: context.now_ms() * 1_000_000,
        "monotonic": lambda: context.now_ms() / 1000,
        "monotonic_ns": lambda: context.now_ms() * 1_000_000,
        "perf_counter": lambda: context.now_ms() / 1000,
        "perf_counter_ns": lambda: context.now_ms() * 1_000_000,
    }.items():
        setattr(time, name, _either(ask, getattr(time, name)))
    time.sleep = _either(_no_sleep, time.sleep)
    builtins.open = _either(_no_files, builtins.open)
    os.urandom = _either(_urandom, os.urandom)
    vars(random)["_urandom"] = os.urandom  # it took its own reference when it was imported
    vars(dt).update(datetime=_Datetime, date=_Date)
    for module in _NEEDED_LATER:
        importlib.import_module(module)


def seal() -> None:
    """Keep the source lines for tracebacks: there are no files to read them from later."""
    for module in list(sys.modules.values()):
        if "oriel_guest" not in (file := getattr(module, "__file__", None) or "") and not _is_standard(file):
            linecache.getlines(file)
    # To place its carets the module parses lines; one that does not parse by itself sends the parser to the file.
    vars(traceback)["_extract_caret_anchors_from_line_segment"] = lambda _: None
    linecache.updatecache = lambda *_: []
    linecache.checkcache = lambda *_: None


def begin() -> None:
    """Called at the start of every request."""
    global _serving  # noqa: PLW0603 - the instance serves one request and is thrown away
    _serving = True
    sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not PathFinder] + [_TooLate()]
    sys.stdout, sys.stderr = _LogStream("info"), _LogStream("error")
    logging.root.handlers[:] = [_LogHandler()]
    random.seed(context.random_u64())


def _either(ask_host: Any, usual: Any) -> Any:
    def function(*arguments: Any, **options: Any) -> Any:
        return (ask_host if _serving else usual)(*arguments, **options)

    return function


def _urandom(size: int) -> bytes:
    words = b"".join(context.random_u64().to_bytes(8) for _ in range(-(-size // 8)))
    return words[:size]


def _no_files(file: Any, *_: Any, **__: Any) -> NoReturn:
    raise FileNotFoundError(errno.ENOENT, "an extension has no files; read it at the top of a module", str(file))


def _no_sleep(_seconds: float) -> NoReturn:
    raise RuntimeError("an extension cannot sleep: it would only use up its own time")


class _Datetime(dt.datetime):
    """`datetime.datetime` with the host's clock."""

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> "_Datetime":
        return cls.fromtimestamp(time.time(), tz)

    @classmethod
    def utcnow(cls) -> "_Datetime":
        return cls.now(dt.UTC).replace(tzinfo=None)

    @classmethod
    def today(cls) -> "_Datetime":
        return cls.now()


class _Date(dt.date):
    """`datetime.date` with the host's clock."""

    @classmethod
    def today(cls) -> "_Date":
        return cls.fromtimestamp(time.time())


class _LogStream(io.TextIOBase):
    """A text stream whose lines are log lines."""

    def __init__(self, level: str) -> None:
        self._level = level

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if line := text.rstrip("\n"):
            log.emit(self._level, line, {})
        return len(text)


class _LogHandler(logging.Handler):
    """The `logging` module's records as log lines."""

    def emit(self, record: logging.LogRecord) -> None:
        level = next((name for least, name in _LEVELS if record.levelno >= least), "debug")
        log.emit(level, self.format(record), {"logger": record.name})


class _TooLate:
    """The last finder of `sys.meta_path`: nothing is found any more."""

    def find_spec(self, name: str, *_: Any) -> NoReturn:
        raise ModuleNotFoundError(
            f"'{name}' was not imported when the extension was built; import it at the top of a module.", name=name
        )


def _is_standard(file: str) -> bool:
    return not file or "/lib/python" in file or file.startswith("/python/")
