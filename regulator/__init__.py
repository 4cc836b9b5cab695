"""The regulator's side: receives what boxes send, keeps it, answers with signed receipts and orders."""
