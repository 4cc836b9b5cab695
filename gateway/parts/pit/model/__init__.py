"""What a deep pit is and what is derived of it. Pure: arrays in, arrays out."""
