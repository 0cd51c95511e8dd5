"""Write an Oriel extension in Python.

    from oriel_guest import App, Problem, Request, storage

    app = App()

    @app.get("/notes/:id")
    def note(request: Request) -> dict:
        entry = storage.get(f"note/{request.params['id']}")
        if entry is None:
            raise Problem(404, "There is no such note.")
        return entry.json()

`oriel build` looks for `app` in `src/main.py`. Every request runs in a fresh copy of the program as it stood when
it was built: module-level code runs once, at build time, and nothing is kept from one request to the next.

Beside this module: `context` and `log`, always there; `storage`, `http`, `secrets`, `user`, `metrics`, `host`, `events`
and `schedule`, there where manifest.json asks for its capability. Importing one that is not there fails the build and
names the capability.
"""

from oriel_guest.app import App
from oriel_guest.errors import (
    Conflict,
    Denied,
    FetchFailed,
    HostError,
    Invalid,
    LimitExceeded,
    OperationFailed,
    Problem,
    ReferenceOnly,
    Unavailable,
)
from oriel_guest.messages import (
    Headers,
    MultiDict,
    Request,
    Response,
    json_response,
    problem_response,
    text_response,
)

__all__ = [
    "App",
    "Conflict",
    "Denied",
    "FetchFailed",
    "Headers",
    "HostError",
    "Invalid",
    "LimitExceeded",
    "MultiDict",
    "OperationFailed",
    "Problem",
    "ReferenceOnly",
    "Request",
    "Response",
    "Unavailable",
    "json_response",
    "problem_response",
    "text_response",
]
