"""The eye process: one for all cameras of the box. Attaches to every camera's frame slot, judges the newest frame.

    frame slots --newest--> turn (who is due) --> detector, one batch --> a mind per camera --> Observation --> gateway
                                                                             |
                            health -> tracker -> helmets, edges, strip and stills

`wire` carries orders to the eye, `said` what it answers, `watched` is what it is told; none of them imports OpenCV. The
rest runs in the eye.
"""
