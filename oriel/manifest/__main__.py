"""Print the manifest's JSON Schema: `python -m oriel.manifest > docs/reference/manifest.schema.json`."""

import json
import sys

from oriel.manifest import manifest_schema

sys.stdout.write(json.dumps(manifest_schema(), indent=2, ensure_ascii=False) + "\n")
