"""What the registry's compile process and the runner share of the WebAssembly engine.

- `config`: the one engine configuration, and its fingerprint.
- `types`: WIT types as plain values, with the canonical text of a signature.
- `reading`: the engine's own component types as those.
- `standard`: the interfaces of WASI 0.2.
- `inspect`: what a component imports and exports, and what the platform offers.
- `compile`: a component made into an artifact, for a process with limits.
"""
