"""`wasm-js@1` and `wasi-js@1`: JavaScript sources to a component, by esbuild and componentize-js.

`src/main.js` may import other files, and packages from the project's own `node_modules`.

- For `wasm-js@1` it has the app as its default export. All features of the engine that would import WASI are off; the
  guest library leads the clock, randomness and console to the host.
- For `wasi-js@1` it answers `fetch` events, as in a service worker. All features are on, and the component is one of
  the standard world `wasi:http/proxy`: it imports WASI, and `fetch`, timers and streams are the engine's own.
"""

import json
from collections.abc import Callable, Collection
from pathlib import Path

from oriel.build.toolchain import toolchain
from oriel.build.tools import required_source, run
from oriel.build.world import interfaces_for
from oriel.capabilities import CAPABILITIES

GUEST = Path(__file__).parent / "guest" / "js"
_EXAMPLE = "import { App } from 'oriel'; export default new App();"
_STANDARD_EXAMPLE = "addEventListener('fetch', (event) => event.respondWith(new Response('hello')));"


def build_javascript(
    project: Path,
    wit: Path,
    output: Path,
    capabilities: Collection[str],
    progress: Callable[[str], None],
    *,
    standard: bool = False,
) -> None:
    """Write the component of `project/src/main.js` to `output`.

    Raises:
        OrielError: `build_failed`, with the place in the source where the bundler names one; `toolchain_missing`.
    """
    main = required_source(project / "src" / "main.js", _STANDARD_EXAMPLE if standard else _EXAMPLE)
    tools = toolchain(progress)
    progress("building src/main.js with componentize-js")
    job = {
        "main": str(main.absolute()),
        "sdk": str(GUEST),
        "standard": standard,
        "wit": str(wit),
        "output": str(output),
        "interfaces": interfaces_for(capabilities),
        "missing": {item.interface: name for name, item in CAPABILITIES.items() if item.interface},
    }
    run([tools.node, tools.script, json.dumps(job)], failure="src/main.js does not build", cwd=project)
