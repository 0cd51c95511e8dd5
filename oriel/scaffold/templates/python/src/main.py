"""The endpoints that manifest.json declares. What needs no host stands in notes.py, where plain Python can test it."""

from typing import Any

import notes
from oriel_guest import App, Problem, Request, Response, context, json_response, storage

app = App()


@app.get("/notes")
def index(_: Request) -> dict[str, Any]:
    page = storage.list_page(notes.PREFIX, limit=notes.SHOWN)
    return {"notes": [entry.json() for entry in page.entries]}


@app.post("/notes")
def add(request: Request) -> Response:
    try:
        text = notes.checked(request.json_object().get("text"))
    except ValueError as error:
        raise Problem(422, str(error), "invalid_note", field="text") from None
    note = {"id": notes.newest_first(context.now_ms(), context.random_u64()), "text": text}
    storage.put(notes.PREFIX + note["id"], note, if_absent=True)
    return json_response(note, 201)


@app.delete("/notes/:id")
def remove(request: Request) -> None:
    if not storage.delete(notes.PREFIX + request.params["id"]):
        raise Problem(404, "There is no such note.", "not_found")
