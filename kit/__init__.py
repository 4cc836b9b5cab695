"""What both faces and the drivers are made of: words, refusals, web shell, secrets, files, clock, MQTT client."""
