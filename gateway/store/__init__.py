"""The two databases: `alerts.db` (what must never be lost) and `history.db` (every reading, bounded)."""
