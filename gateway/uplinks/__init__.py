"""Uplinks: how history and alerts leave the box, one module a receiver.

In: outbox rows and history blocks from `gateway.line.delivery`. Out: bytes on a wire, and a `Receipt` for every answer.
Each module brings a `KIND: UplinkKind`. An uplink never retries by itself and knows nothing of rules, alarms or stores.
"""
