"""What flows through the gateway: plain frozen types. No I/O, no clock, no settings."""
