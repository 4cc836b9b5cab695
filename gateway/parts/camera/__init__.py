"""People's drawings for cameras: kept in versions, sealed in the chain, never changed or deleted."""
