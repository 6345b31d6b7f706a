"""What remembers: ledger, manifest, clips, receipts, locks."""
