"""Neutron's WSGI application, with its database models complete before the first request.

Without an L3 plugin neutron 29 answers 500 to the first GET /ports of each worker: the relation
Port.port_forwardings is only known once that model is imported and the mappers are configured.
"""
# mypy: ignore-errors
# ruff: noqa: INP001
# OpenStack ships no types, and is not installed where types are checked.

import neutron.db.models.port_forwarding  # noqa: F401
from neutron.wsgi.api import application  # noqa: F401
from sqlalchemy import orm

orm.configure_mappers()
