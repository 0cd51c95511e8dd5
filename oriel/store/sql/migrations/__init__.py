"""How the SQL store's tables came to be, one step after the other, for SQLite and PostgreSQL.

A step is a module in `versions`, written by hand: it spells its tables out and imports nothing that may change later.
It runs in one transaction, which a failure undoes. There is no way back but a backup.
"""
