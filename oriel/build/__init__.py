"""From an extension's sources to `dist/main.wasm`.

    world        the WIT world of one extension: its handler, and an import for each capability it asks for
    python       `wasm-py@1`, by componentize-py
    javascript   `wasm-js@1` and `wasi-js@1`, by esbuild and componentize-js
    cache        components that were built before
    toolchain    Node.js, and the npm packages pinned for it, installed once
    guest/       the libraries that extensions are written with

Rules kept here:

- A component imports what its manifest asks for, and nothing else; a standard one imports WASI beside it, which gives
  nothing.
- Nothing of the author's machine slips in: not its site-packages, not its environment.
- `dist/main.wasm` is whole or is not touched.
- A build is not reproducible: both tools take a snapshot of a program that has run, with its random seeds in it. What
  is signed is the bundle that was built. On one machine the same sources give the same bytes, since components are
  kept (`cache`); elsewhere build once and publish those bytes.
"""

from oriel.build.builder import COMPONENT, BuildResult, build

__all__ = ["COMPONENT", "BuildResult", "build"]
