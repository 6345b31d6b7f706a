"""The ledger in SQLite: every attempt and every credit."""
