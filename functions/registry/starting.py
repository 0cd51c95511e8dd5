"""What a process puts off that starts in order to answer one request. Import this before anything that is large.

- Pydantic's models are made when they are first used, not where their classes stand. FastAPI alone imports the forty
  models of an OpenAPI document, which one address gives.
- No garbage is looked for until `started()`: imports leave none, and the looking takes a tenth of their time.
"""

import gc

from pydantic import BaseModel

gc.disable()
BaseModel.model_config["defer_build"] = True  # which every model inherits


def started() -> None:
    """Collect garbage from here on, but for what has been made so far, which stays."""
    gc.freeze()
    gc.enable()
