"""From the wire to `Readings`. Every driver only reads; none can write to the field."""
