"""Tower cranes: model, groups of cranes, API."""
