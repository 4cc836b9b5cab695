"""Updates for a box without a network: signed bundles, and the versions that stand side by side."""
