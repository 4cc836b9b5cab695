"""Pictures as evidence: what was seen when a camera alarm was raised is kept, sealed, sent and shown.

    alarm raised --keeper--> Eyes.fired, Eyes.clip --> bodies on the shelf (by SHA-256) --> MEDIA record in the chain
                                                                                        '-> outbox: media_segment
    pages --desk--> bodies, faces blurred unless a case is open; digest checked at every read

The chain is the truth: `media.db` is an index of it and a note of what was begun, and can be made from it again.
"""
