"""What the desk tells sites beside orders: work permits and weather warnings, and who has taken notice of them."""
