"""Messages between a gateway and a regulator. Imports nothing of either."""
