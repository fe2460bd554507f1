"""Brings a ledger's tables to the shape that this version writes, and refuses a newer one."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Engine, insert, inspect, select

from cipherset.core.errors import IntegrityError
from cipherset.custody.ledger.access.adopt import adopt
from cipherset.custody.ledger.database import for_writing
from cipherset.custody.ledger.tables import events, schema_version
from cipherset.custody.ledger.transaction import Transaction

LATEST: Final = "4"
_KNOWN: Final = ("1", "2", "3", LATEST)
_RELEASED_UNNUMBERED: Final = "1"  # before there were numbers


def migrate(engine: Engine, clock: Callable[[], datetime]) -> None:
    """Make every missing table or column, all or none.

    Raises:
        IntegrityError: ``ledger_newer``.
    """
    with engine.connect() as connection:
        found = _version(connection)
    if found == LATEST:
        return
    with for_writing(engine).begin() as connection:
        _upgrade(connection)
        adopt(Transaction(connection, clock))


def _version(connection: Connection) -> str | None:
    """The number of its shape; None where there are no tables, or none with a number."""
    if not inspect(connection).has_table(schema_version.name):
        return None
    found = connection.execute(select(schema_version)).scalar_one_or_none()
    if found is not None and found not in _KNOWN:
        raise IntegrityError(
            "the ledger was written by a newer version of cipherset",
            code="ledger_newer",
            hint="upgrade cipherset on this machine; an older one would not understand it",
        )
    return found


def _upgrade(connection: Connection) -> None:
    # Alembic takes a while to import, and is needed once in the life of a ledger.
    from alembic import command
    from alembic.config import Config

    schema_version.create(connection, checkfirst=True)
    if _version(connection) is None and inspect(connection).has_table(events.name):
        connection.execute(insert(schema_version).values(version_num=_RELEASED_UNNUMBERED))
    config = Config()
    config.set_main_option("script_location", "cipherset.custody.ledger:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, LATEST)
