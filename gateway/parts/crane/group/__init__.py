"""Several cranes, zones and power lines in one yard: who comes too near to what. Pure."""
