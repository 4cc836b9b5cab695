"""What the two web faces share, the box's and the regulator's. Imports nothing of either."""
