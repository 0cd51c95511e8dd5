"""Who calls: the principal of the request's bearer token, as a parameter of a route."""

from typing import Annotated

from fastapi import Depends, Query, Request

from oriel.identity import Permission, Principal


def authenticated(request: Request) -> Principal:
    """The principal. The application decides how (`app.state`).

    Raises:
        OrielError: `unauthenticated`; `forbidden`, where a machine's key is for another extension than the path's.
    """
    principal: Principal = request.app.state.authenticate(request.headers.get("authorization"))
    principal.require_extension(request.path_params.get("extension_id"))
    return principal


class Permitted:
    """A dependency: the principal, if it has the permission."""

    def __init__(self, permission: Permission) -> None:
        self.permission: Permission = permission

    def __call__(self, principal: Annotated[Principal, Depends(authenticated)]) -> Principal:
        principal.require(self.permission)
        return principal


Caller = Annotated[Principal, Depends(authenticated)]
PublishingCaller = Annotated[Principal, Depends(Permitted("publish"))]
InstallingCaller = Annotated[Principal, Depends(Permitted("install"))]
ConfiguringCaller = Annotated[Principal, Depends(Permitted("configure"))]
ObservingCaller = Annotated[Principal, Depends(Permitted("observe"))]
RecordingCaller = Annotated[Principal, Depends(Permitted("record"))]
OperatingCaller = Annotated[Principal, Depends(Permitted("operate"))]

EmittingCaller = Annotated[Principal, Depends(Permitted("emit"))]

Cursor = Annotated[str | None, Query(max_length=512)]
Limit = Annotated[int, Query(ge=1, le=100)]
