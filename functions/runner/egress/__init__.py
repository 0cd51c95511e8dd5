"""The way out: requests of guests to the hosts their tenant consented to (`docs/security/egress.md`).

    model        what is asked, under which policy and bounds, and how it fails; imports nothing heavy
    urls         URLs, read strictly
    grants       which origins a grant covers
    addresses    which addresses may be reached at all
    resolver     names to addresses, in bounded time
    dialer       resolve, screen every answer, connect to one of them, TLS on the name
    pool         idle connections, apart for each install
    wire         one HTTP/1.1 exchange
    content      bodies, decoded within bounds
    messages     which headers may go out and come in, and what a redirect does to a request
    references   `{{secret:NAME}}`
    client       puts them together: `Egress.fetch`

Nothing is imported here, so that a runner whose guests never go out never loads TLS.
"""
