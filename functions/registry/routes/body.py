"""What routes take: an object with these members and no others."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from registry.grants import GrantRequest


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Grants = Annotated[tuple[GrantRequest, ...], Field(max_length=64)]
