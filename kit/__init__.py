"""What both faces and the drivers are made of: secrets, files, locks, clock, MQTT client."""
