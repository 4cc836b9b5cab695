"""HTTPS for a box on a site network: a certificate authority of the box's own, its server certificate, and their care.

    sitewarden tls init --> folder: ca.key, ca.crt, server.pem --> the web server's SSLContext
                                                              '--> a watch that renews in time and tells the health page

Nobody outside a site can vouch for `192.168.1.10`, so the box does: phones and computers are given `ca.crt` once. The
authority may only sign names of private networks and those it was made with: whoever steals its key can pretend to be
no other site of the world. Knows nothing of pages and of what the box measures.
"""
