"""Pixels to detections and findings: cameras, the detector, helmets, edge protection, the cameras' own health.

Three kinds of process. A capture process per camera (`vision.camera`) decodes and keeps packets, and holds no model.
One eye process (`vision.eye`) holds the model and judges the newest frame of every camera. The gateway
(`vision.driver`) starts both, turns what the eye says into `Readings`, and fetches pictures and clips.

    camera ==RTSP==> capture --frame slot (newest wins)--> eye --Observation--> driver --Readings--> the pipeline
                        '------- clips, live fragments (not re-encoded) ----------^

Knows of the gateway only `gateway.model` and `gateway.ports`.
"""
