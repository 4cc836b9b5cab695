"""The fleet: what every box is, says of itself and judges by; rule packs, offered and taken."""
