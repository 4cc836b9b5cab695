"""The ledger's head of each day: what the desk tells a witness, so that it cannot rewrite its own past unseen."""
