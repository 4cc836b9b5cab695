"""Modbus TCP: register tables, request planning, decoding, and a polling driver. Reads only, function codes 1 to 4."""
