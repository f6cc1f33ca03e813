"""Neutron's WSGI application, made whole before the first request: its models, its binding.

Without an L3 plugin neutron 29 answers 500 to the first GET /ports of each worker: the relation
Port.port_forwardings is only known once that model is imported and the mappers are configured.

Its mechanism driver for tests binds ports on hosts of certain names only, and checks that nobody
else did; Nova refuses an instance whose port is not bound. Here it binds them everywhere.
"""
# mypy: ignore-errors
# ruff: noqa: ANN001, ANN202, INP001, SLF001
# OpenStack ships no types, and is not installed where types are checked.

import neutron.db.models.port_forwarding  # noqa: F401
from neutron.tests.unit.plugins.ml2.drivers.mechanism_test import TestMechanismDriver
from neutron.wsgi.api import application  # noqa: F401
from sqlalchemy import orm

orm.configure_mappers()


def _bind_port(_driver, context):
    segment = context.segments_to_bind[0]
    context.set_binding(segment["id"], "ovs", {"port_filter": False}, status="ACTIVE")


def _agree(_driver, _context, _original_expected=None):
    pass


TestMechanismDriver.bind_port = _bind_port
TestMechanismDriver.update_port_precommit = TestMechanismDriver._check_port_context = _agree
