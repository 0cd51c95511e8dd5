"""The ledger: publish, compile, install, grant, configure, observe.

    core         what all parts stand on: the ports, the keys, the limits
    uploads      upload sessions: open, receive, finalize
    verify       is this bundle what it says, and by whom it says
    signatures   who signed it, by the trust of this moment
    compiling    a component made into native code, in a process with limits
    deposit      what publishing leaves in the blob store
    publish      the state machine that takes a session to `ready` or `rejected`
    publishers   who may publish, with which keys
    catalogue    what is published, to look at before installing
    grants       consent: what a tenant grants of what is asked
    installs     one extension for one tenant: version, grants, configuration, secrets
    events       told by the product, looked at, sent again
    schedules    as an administrator sees and sets them
    worker       the thread that publishes and keeps house
    app, routes  the HTTP API over all of these

Everything but `app` and `routes` is free of the web framework.
"""
