"""What the benchmarks call: an answer of a few bytes, and the body sent back as it came."""

from oriel_guest import App, Request, Response

app = App()


@app.get("/hello")
def hello(_: Request) -> dict[str, str]:
    return {"message": "hello"}


@app.post("/text")
def text(request: Request) -> Response:
    return Response(request.text())


@app.post("/bytes")
def binary(request: Request) -> Response:
    return Response(request.body)
