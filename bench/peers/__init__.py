"""The same field, polled by other gateways beside Sitewarden: Node-RED, thingsboard-gateway, collectd.

20 Modbus TCP devices of 50 float32 (libmodbus), values published to Mosquitto with QoS 1 and counted by a subscriber;
CPU time of each gateway's process tree from the operating system. The peers judge no rule and keep no history;
Sitewarden does both. A bare pymodbus loop that only reads stands beside them. What cannot be installed is said.

Peers are installed by their own package managers below `build/peers` (npm, pip) or by apt-get (collectd).
"""
