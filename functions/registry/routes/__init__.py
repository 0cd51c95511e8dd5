"""The HTTP API, one module for each kind of caller: publishers and operators, tenants' administrators, observers."""
