"""Device twins that speak real Modbus TCP and real MQTT, with believable physics and faults on demand.

They are the field of `make demo` and of the tests. They keep their own log of every overload they injected, so that
whoever counts alerts has a witness that is not the gateway. They know nothing of the gateway but its ports.
"""
