"""The ledger's tables, in words that SQLite and PostgreSQL share.

This is the shape of today; ``migrations`` says how it is made, and a test that both agree.

Only integers and text, so that SQLite can hold them STRICT; JSON is text in its one canonical
form (RFC 8785), times are text in UTC (ISO 8601).
"""

from typing import Final

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, MetaData, Table
from sqlalchemy import Text as AnyText

METADATA: Final = MetaData()

# SQLite calls its 64-bit integer INTEGER; elsewhere that is 32 bits.
Whole: Final = BigInteger().with_variant(Integer, "sqlite")
# Compared and sorted by its bytes, whatever language the database is in.
Text: Final = AnyText().with_variant(AnyText(collation="C"), "postgresql")

# Alembic's own table, made by us so that it is STRICT too.
schema_version: Final = Table(
    "alembic_version",
    METADATA,
    Column("version_num", Text, primary_key=True),
    sqlite_strict=True,
)

assets: Final = Table(
    "assets",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("attributes", Text, nullable=False),
    Column("created", Text, nullable=False),
    sqlite_strict=True,
)

runs: Final = Table(
    "runs",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("started", Text, nullable=False),
    Column("finished", Text),
    Column("status", Text, nullable=False),
    Column("parameters", Text, nullable=False),
    sqlite_strict=True,
)

run_assets: Final = Table(
    "run_assets",
    METADATA,
    Column("run_id", Text, ForeignKey("runs.id"), primary_key=True),
    Column("role", Text, primary_key=True),
    Column("asset_id", Text, ForeignKey("assets.id"), primary_key=True),
    Index("runs_of", "asset_id"),
    sqlite_strict=True,
)

events: Final = Table(
    "events",
    METADATA,
    Column("seq", Whole, primary_key=True, autoincrement=False),
    Column("time", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Index("events_about", "subject", "action"),
    sqlite_strict=True,
)

principals: Final = Table(
    "principals",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("roles", Text, nullable=False),
    Column("attributes", Text, nullable=False),
    Column("public_key", Text),
    Column("status", Text, nullable=False),
    Column("created", Text, nullable=False),
    Column("past_keys", Text, nullable=False, server_default="[]"),
    sqlite_strict=True,
)

# What a caller from outside may show to be a principal; ``mac`` is over all the rest, under a key
# that whoever writes to the database alone lacks. One that was revoked stays: the events say it.
credentials: Final = Table(
    "credentials",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("principal", Text, ForeignKey("principals.name"), nullable=False),
    Column("binding", Text),
    Column("secret", Text),
    Column("expires", Text),
    Column("created", Text, nullable=False),
    Column("mac", Text, nullable=False),
    Index("credentials_of", "principal"),
    sqlite_strict=True,
)

# A grant is a request and the votes on it; where it stands is computed, never stored.
grants: Final = Table(
    "grants",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("request", Text, nullable=False),
    Column("created", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("beneficiary", Text, nullable=False),
    Index("grants_of", "beneficiary", "action"),
    sqlite_strict=True,
)

votes: Final = Table(
    "votes",
    METADATA,
    Column("grant_id", Text, ForeignKey("grants.id"), primary_key=True),
    Column("principal", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("time", Text, nullable=False),
    Column("envelope", Text, nullable=False),
    sqlite_strict=True,
)

policies: Final = Table(
    "policies",
    METADATA,
    Column("digest", Text, primary_key=True),
    Column("text", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("created", Text, nullable=False),
    Column("activated", Text),
    sqlite_strict=True,
)

# What was spent, for ever: a budget has no refill.
budgets: Final = Table(
    "budgets",
    METADATA,
    Column("kind", Text, primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("used", Whole, nullable=False),
    sqlite_strict=True,
)

# The same for each row, by its keyed identity (64 bits, with a sign here).
row_uses: Final = Table(
    "row_uses",
    METADATA,
    Column("kind", Text, primary_key=True),
    Column("row", Whole, primary_key=True, autoincrement=False),
    Column("used", Whole, nullable=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
