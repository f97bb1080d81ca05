"""Tables of the SQL store. Facts are authoritative; instances, work and deviations can be rebuilt from them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

VERSION = 4

metadata = MetaData()

meta = Table(
    "svcflow_meta",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", String(200), nullable=False),
)

instances = Table(
    "svcflow_instances",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("procedure", String(80), nullable=False),
    Column("version", Integer, nullable=False),
    Column("status", String(10), nullable=False),
    Column("started_us", BigInteger, nullable=False),
    Column("next_us", BigInteger, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("head", LargeBinary(32), nullable=False),
    Column("state", LargeBinary, nullable=False),
    Column("secrets", LargeBinary),
    Index("svcflow_instances_due", "next_us", "id"),
    Index("svcflow_instances_started", "procedure", "started_us"),
)
"""`secrets` holds the personal data that the journal holds commitments to (see journal/personal_data.py)."""

facts = Table(
    "svcflow_facts",
    metadata,
    Column("position", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("instance", String(80), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("link", LargeBinary(32), nullable=False),
    UniqueConstraint("instance", "sequence"),
)
"""`position` numbers the facts of all instances as they were written: a subscription reads on from a position."""

commands = Table(
    "svcflow_commands",
    metadata,
    Column("instance", String(80), primary_key=True),
    Column("command_id", String(200), primary_key=True),
    Column("sequence", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
)

deviations = Table(
    "svcflow_deviations",
    metadata,
    Column("instance", String(80), primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("procedure", String(80), nullable=False),
    Column("version", Integer, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("step", String(80), nullable=False),
    Column("role", String(80), nullable=False),
    Column("occurred_us", BigInteger, nullable=False),
    Column("limit", String(80), nullable=False),
    Column("visit", Integer, nullable=False),
    Column("due_us", BigInteger),
    Column("overrun_us", BigInteger),
    Column("status", String(10), nullable=False, server_default="open"),
    Column("explanation", Text, nullable=False, server_default=""),
    Index("svcflow_deviations_kind", "procedure", "kind", "occurred_us"),
)

work = Table(
    "svcflow_work",
    metadata,
    Column("instance", String(80), primary_key=True),
    Column("step", String(80), primary_key=True),
    Column("role", String(80), nullable=False),
    Column("assignee", String(200), nullable=False),
    Column("entered_us", BigInteger, nullable=False),
    Column("due_us", BigInteger, nullable=False),
    Index("svcflow_work_role", "role", "due_us"),
    Index(
        "svcflow_work_assignee",
        "assignee",
        "due_us",
        sqlite_where=text("assignee <> ''"),
        postgresql_where=text("assignee <> ''"),
    ),
    sqlite_with_rowid=False,
)
"""Most work has no assignee: the second index holds only work that has one, so that a move need not touch it."""

persons = Table(
    "svcflow_persons",
    metadata,
    Column("person", String(200), primary_key=True),
    Column("instance", String(80), primary_key=True),
)
"""Persons and the instances that hold data about them, to find what has to be erased."""

seals = Table(
    "svcflow_seals",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("position", BigInteger, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
    Column("sealed_us", BigInteger, nullable=False),
)
"""Seals: the position up to which facts were sealed, and size and frontier of the tree of leaves."""

leaves = Table(
    "svcflow_leaves",
    metadata,
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("instance", String(80), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("head", LargeBinary(32), nullable=False),
)

delegations = Table(
    "svcflow_delegations",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("giver", String(200), nullable=False),
    Column("taker", String(200), nullable=False),
    Column("roles", Text, nullable=False),
    Column("procedures", Text, nullable=False),
    Column("since_us", BigInteger, nullable=False),
    Column("until_us", BigInteger, nullable=False),
    Column("revoked_us", BigInteger),
)
"""Roles and procedures are lists of names, in JSON. A delegation is revoked, never deleted."""

subscriptions = Table(
    "svcflow_subscriptions",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("owner", String(40), nullable=False),
    Column("lease_until_us", BigInteger, nullable=False),
)
"""Position of each subscription in the facts of all instances, and which worker holds its lease until when."""

deliveries = Table(
    "svcflow_deliveries",
    metadata,
    Column("subscription", String(80), primary_key=True),
    Column("instance", String(80), primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("state", String(10), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("error", String(1000), nullable=False),
    Index("svcflow_deliveries_due", "subscription", "state", "at_us"),
)
"""Facts that subscriptions have passed and not delivered: waiting for the next attempt, behind another, or dead."""
procedures = Table(
    "svcflow_procedures",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("digest", String(64), nullable=False),
)
"""Digest of each version of a procedure when an instance of it was first started here (see model/yaml/dump.py)."""

starts = Table(
    "svcflow_starts",
    metadata,
    Column("procedure", String(80), primary_key=True),
    Column("start", String(80), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("since_us", BigInteger, nullable=False),
    Column("done", String(16), nullable=False),
    Column("pending", String(16), nullable=False),
    Column("tried", String(16), nullable=False),
    Column("salt", String(32), nullable=False),
    Column("retry_us", BigInteger, nullable=False),
    Column("error", String(1000), nullable=False),
)
"""How far each regular start of a procedure is: see runtime/start_positions.py."""
