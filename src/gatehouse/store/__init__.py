"""The database behind people's work: decisions, durable steps, releases and what comes back about them.

A Django app that fulfils the protocols of casework and release, on SQLite by default and on PostgreSQL by address. The
rooms never import it; `configure` readies it outside the console.
"""

from gatehouse.store.settings import configure, database, migrate, models_of

__all__ = ["configure", "database", "migrate", "models_of"]
