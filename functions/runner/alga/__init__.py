"""`alga:extension`, world `runner`: components that were made for it run unmodified, over the same host APIs.

| interface | capability | done by |
|---|---|---|
| `context`, `logging` | always there | the execution's context, the extension's log |
| `user`, `user-v2` | always there | the user of the request, whom the gateway passes on with `user.read` alone |
| `secrets` | `secrets.get` | the install's secrets; one that is for reference only is `denied` |
| `http` | `http.fetch` | the screened client; a redirect is an answer |
| `storage` | `storage.kv` | the install's records, under keys that no other interface can write |
| `ui-proxy` | `ui.proxy` | the operation `ui.call-route` of the host product |
| `invoicing` | `invoice.manual.create` | the operation `invoices.create-manual` |
| `clients` | `client.read` | the operations `clients.list`, `clients.get` |
| `services` | `service.read` | the operations `services.list`, `services.get` |
| `scheduler` | `schedule.manage` | the install's schedules, by their ids |

    table       every function, with its capability and its denial
    handler     the way into the component
    basics      context, logging, user, secrets, http
    storage     namespaces and revisions
    product     what the host product carries out
    scheduler   schedules, by their ids
    shapes      values of the interface as JSON, and back

Rules kept here:

- The types come from `oriel.engine.alga`, recorded from the interface itself; nothing here repeats them.
- Grants are the same capabilities that consent knows; a missing one is the typed denial of its interface.
- Where an error has no words for what went wrong, they stand in the extension's log.
"""
