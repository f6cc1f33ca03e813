"""A cloud that answers over HTTP, for the adapters that ask it."""

from novahttp import http, nova

__all__ = ["http", "nova"]
