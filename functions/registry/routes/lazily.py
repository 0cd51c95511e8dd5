"""Routes that are made when they are first asked for.

FastAPI reads an endpoint's parameters and makes their validators where the endpoint is declared: two milliseconds each,
for seventy of which a function that starts needs one.

Rules kept here:

- Until then a route is what a request is held against: its path and its methods. The first look at anything else makes
  it whole, and FastAPI's own. What is wrong with a declaration shows then; the OpenAPI document makes all of them.
- Routes stand in the application's own router. One that is included is made anew, whole, for where it is included.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from fastapi.routing import APIRoute
from starlette.routing import compile_path


class LazyRoute(APIRoute):
    """The `route_class` of an `APIRouter`."""

    def __init__(self, path: str, endpoint: Callable[..., Any], *, methods: Iterable[str], **declared: Any) -> None:
        self.path, self.endpoint, self.methods = path, endpoint, set(methods)
        self.path_regex, self.path_format, self.param_convertors = compile_path(path)
        self._make_whole = partial(super().__init__, path, endpoint, methods=self.methods, **declared)

    def __getattr__(self, name: str) -> Any:
        """What a whole route has beside. Two threads that ask at once make the same twice."""
        if "app" not in self.__dict__:  # what is made last
            self._make_whole()
        try:
            return self.__dict__[name]
        except KeyError:
            raise AttributeError(name, name=name, obj=self) from None
