"""Durable state: ledger, manifest, clips, receipts, locks."""
