"""Pydantic's models made when they are first used: for a process that starts in order to answer one request.

A model's validator is made where its class stands. FastAPI alone imports the forty models of an OpenAPI document, which
one address gives. Where this is imported before them all, models are made when they are used.
"""

from pydantic import BaseModel

BaseModel.model_config["defer_build"] = True  # which every model inherits
