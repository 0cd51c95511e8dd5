"""What the benchmark `cold` measures: one process made like a Lambda function's, to its first answer.

    python -m benchmarks.first_answer DATA_DIR

Prints one JSON object when it has answered: the milliseconds of each part, and how many modules are imported. This
module itself imports next to nothing, so that it adds nothing to what is measured.
"""

import json
import sys
import time
from itertools import pairwise
from pathlib import Path

REQUEST = "request.json"


def main(data_dir: Path) -> None:
    marks = [time.perf_counter()]
    from oriel.starting import started

    # isort: split

    from oriel.contract import ExecuteRequest
    from oriel.keyring import Keyring
    from oriel.settings import Settings
    from runner.assembly import build_runner

    marks.append(time.perf_counter())
    settings = Settings.load(data_dir=data_dir)
    runner = build_runner(settings, Keyring.open(settings.keyring_path))
    started()
    marks.append(time.perf_counter())
    response = runner.execute(ExecuteRequest.from_json((data_dir / REQUEST).read_bytes()))
    marks.append(time.perf_counter())
    if response.error is not None:
        raise RuntimeError(f"the first answer is {response.error}")
    imported, assembled, executed = ((end - start) * 1000 for start, end in pairwise(marks))
    parts = {"import_ms": imported, "assemble_ms": assembled, "execute_ms": executed, "modules": len(sys.modules)}
    print(json.dumps(parts), flush=True)
    runner.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
