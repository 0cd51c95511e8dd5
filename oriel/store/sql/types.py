"""Column types that hold the same values, in the same order, in SQLite and PostgreSQL.

Rules kept here:

- Text is compared and ordered by its code points, whatever the database's collation.
- Any text can be stored and looked up. PostgreSQL's text has no U+0000, which comes in names that strangers send;
  there U+0000 and U+0001 are written as pairs that begin with U+0001, which keeps the order and makes no two texts one.
- JSON is kept as text and not as `jsonb`, which refuses `\\u0000` and unpaired surrogates and rewrites numbers: what a
  guest logs must not decide whether its log can be written.
"""

from typing import Any

from sqlalchemy import JSON, Dialect, Text
from sqlalchemy.types import TypeDecorator, TypeEngine


class PostgresText(TypeDecorator[str]):
    """Text with collation "C" that can hold U+0000."""

    impl = Text
    cache_ok = True

    def __init__(self) -> None:
        super().__init__(collation="C")

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return value if value is None else value.replace("\x01", "\x01\x02").replace("\x00", "\x01\x01")

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return value if value is None else value.replace("\x01\x01", "\x00").replace("\x01\x02", "\x01")


Name: TypeEngine[str] = Text().with_variant(PostgresText(), "postgresql")
Json: TypeEngine[Any] = JSON()
OptionalJson: TypeEngine[Any] = JSON(none_as_null=True)
