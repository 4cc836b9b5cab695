"""Other platforms' records as field maps in YAML: what is told to a platform, how it is signed, what counts as yes."""
