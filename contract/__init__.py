"""What a gateway and a regulator say to each other. Imports nothing of either."""
