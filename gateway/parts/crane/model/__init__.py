"""What a tower crane is and what is derived of it. Pure: arrays in, arrays out."""
