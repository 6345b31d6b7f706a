"""The name of the ledger's file in the state folder: known without loading SQLite."""

NAME = "ledger.db"
