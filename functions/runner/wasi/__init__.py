"""WASI 0.2 for components that were not made for Oriel: all of it links, and next to nothing is given.

| asked for | given |
|---|---|
| arguments, environment, working directory | none |
| standard input | at its end |
| standard output, standard error | the extension's log, line by line, at `info` and `error` |
| clocks, `poll` | real; no wait goes past the execution's deadline |
| random numbers | real, a bounded number a call |
| files | no directory is open |
| sockets, name lookup | `access-denied` |
| terminals | none |
| `wasi:http/outgoing-handler` | what `http.fetch` may reach, by its client; else `HTTP-request-denied` |
| `exit` | ends the execution, as a failure |

    polling     pollables, clocks, `poll`
    streams     input and output streams
    cli         environment, standard streams, exit
    fields      headers
    messages    requests, responses and their bodies
    outgoing    requests to other hosts
    incoming    the request that the component is asked, and its answer
    table       all of it by interface and name

Rules kept here:

- Host functions are written for the codec's values: a resource is the object itself. They run in the thread of the
  execution, and their first argument is its `Execution`.
- What a guest makes the host keep is charged, and every call is counted, apart from Oriel's own host calls: a stream
  is read in many small ones.
- The objects hold memory and nothing else: a run that is thrown away leaves nothing open.
"""

from runner.entry import Standard
from runner.wasi.incoming import Incoming
from runner.wasi.table import host_functions, host_resources

__all__ = ["standard"]


def standard() -> Standard:
    """What the sandbox links standard components with."""
    return Standard(host_functions(), host_resources(), Incoming)
