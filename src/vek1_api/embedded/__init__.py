"""The servers that ``make run`` and the tests start by themselves: Postgres, object store.

Real servers from PyPI wheels, on loopback only, for development. Nothing here is used in
production.
"""
