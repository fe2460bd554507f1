"""What Alembic runs: the steps that are missing, in the transaction that it was handed."""

from alembic import context

if hasattr(context, "config"):  # only while Alembic runs it
    context.configure(connection=context.config.attributes["connection"])
    with context.begin_transaction():
        context.run_migrations()
