"""Ports that fail at a chosen call, in the ways that ports fail, and a process that is killed there."""

import os
import signal
from dataclasses import dataclass, field

from tests.registry.stage import AUTHOR, RememberingCompiler, Stage


@dataclass
class Plan:
    """Counts the calls of all wrapped ports, and strikes at one of them."""

    strike_at: int = -1
    strike: object = None
    before: bool = True
    calls: list = field(default_factory=list)

    def call(self, name, method, args, kwargs):
        number = len(self.calls)
        self.calls.append(name)
        if number == self.strike_at and self.before:
            self.strike()
        result = method(*args, **kwargs)
        if number == self.strike_at and not self.before:
            self.strike()
        return result


class Faulty:
    """A port whose every method goes through the plan."""

    def __init__(self, port, plan):
        self._port, self._plan = port, plan

    def __getattr__(self, name):
        method = getattr(self._port, name)
        if name == "close" or not callable(method):
            return method
        return lambda *args, **kwargs: self._plan.call(name, method, args, kwargs)


def faulty_stage(folder, plan):
    return Stage(folder, wrap_store=lambda store: Faulty(store, plan), wrap_blobs=lambda blobs: Faulty(blobs, plan))


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


def publish_and_die(folder, packed, envelope, known, strike_at):
    """The whole way from opening the session to its end, killed after a call; runs in a process of its own."""
    RememberingCompiler.known.update(known)
    stage = faulty_stage(folder, Plan(strike_at, kill, before=False))
    stage.publish(packed, envelope, AUTHOR)
