"""MQTT 5 and 3.1.1: messages of field devices become `Readings`, acknowledged once the history has them."""
