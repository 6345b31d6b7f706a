"""What is remembered: ledger, receipts, manifest, clips, locks."""
