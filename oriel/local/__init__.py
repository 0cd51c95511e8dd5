"""The platform on one machine: gateway, registry, UI origin and publish worker in this process, runners beside it.

This package is the one place that may import the three functions.
"""

from oriel.local.platform import LocalPlatform

__all__ = ["LocalPlatform"]
