"""What people draw for cameras: kept in versions, sealed in the chain, never changed and never deleted."""
