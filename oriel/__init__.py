"""Oriel runs the extensions of a SaaS product's customers and partners without letting them into the product."""

__version__ = "0.1.0"
