"""Migration records: which one tells of a server, and how they end."""

from collections.abc import Iterable

from novaha.core.model import Migration
from novaha.core.names import ServerId
from novaha.core.policy import ENDED_BADLY


def newest_by_server(migrations: Iterable[Migration]) -> dict[ServerId, Migration]:
    """Return each server's record with the highest number."""
    newest: dict[ServerId, Migration] = {}
    for migration in migrations:
        before = newest.get(migration.server)
        if before is None or migration.id > before.id:
            newest[migration.server] = migration
    return newest


def ended_badly(migration: Migration) -> bool:
    """Tell whether a record is at its end and the server did not move (failed, error)."""
    return migration.status in ENDED_BADLY
