"""Pages of the ledger's witness."""
