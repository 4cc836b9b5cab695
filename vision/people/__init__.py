"""What people do and wear, beside the helmet: work clothes, danger zones, the hook above, somebody who lies."""
