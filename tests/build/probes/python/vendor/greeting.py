"""A package that was put into vendor/."""

HELLO = "hello"
