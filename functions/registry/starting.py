"""What the registry's function puts off beside what every one does (`oriel.starting`). Import this before models.

Pydantic's models are made when they are first used, not where their classes stand. FastAPI alone imports the forty
models of an OpenAPI document, which one address gives.
"""

from oriel.starting import started  # before anything else

# isort: split

from pydantic import BaseModel

__all__ = ["started"]

BaseModel.model_config["defer_build"] = True  # which every model inherits
