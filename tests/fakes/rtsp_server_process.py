"""The RTSP server's own process, run by the system's Python (which has GStreamer's bindings): see `rtsp_server`.

    /usr/bin/python3 rtsp_server_process.py '{"port": 0, "codec": "h264", "fps": 15, "auth": "digest", ...}'

Prints the port, then obeys one JSON object a line on its standard input:

    {"do": "play", "file": PATH}    send this Annex B file over and over, with its own parameter sets
    {"do": "noise"}                 send slices of random bytes at the same pace
    {"do": "mute"}                  send nothing, and keep the connection
"""

import json
import os
import random
import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

DELIMITER = {"h264": b"\0\0\0\1\x09", "h265": b"\0\0\0\1\x46\x01"}
NOISE_HEAD = {"h264": b"\0\0\0\1\x65", "h265": b"\0\0\0\1\x26\x01"}


def access_units(path, codec):
    """One picture each: every one begins with an access unit delimiter."""
    with open(path, "rb") as file:  # noqa: PTH123
        body = file.read()
    mark = DELIMITER[codec]
    return [mark + unit for unit in body.split(mark)[1:]]


class Feed:
    """What all media of the mount point are fed with: one picture every 1/fps s."""

    def __init__(self, options):
        self.codec = options["codec"]
        self.units = access_units(options["file"], self.codec)
        self.at = 0
        self.mode = "play"
        self.outlets = []
        self.noise = random.Random(7)
        GLib.timeout_add(int(1000 / options["fps"]), self.tick)

    def configure(self, _factory, media):
        self.outlets.append(media.get_element().get_child_by_name("feed"))
        media.connect("unprepared", self.forget)

    def forget(self, media):
        feed = media.get_element().get_child_by_name("feed")
        self.outlets = [outlet for outlet in self.outlets if outlet is not feed]

    def tick(self):
        if self.mode == "mute":
            return True
        if self.mode == "noise":
            unit = NOISE_HEAD[self.codec] + bytes(self.noise.randrange(4, 256) for _ in range(400))
        else:
            unit = self.units[self.at % len(self.units)]
            self.at += 1
        for outlet in self.outlets:
            outlet.emit("push-buffer", Gst.Buffer.new_wrapped(unit))
        return True

    def obey(self, order):
        if order["do"] == "play":
            self.units, self.at = access_units(order["file"], self.codec), 0
        self.mode = order["do"]
        return False


def listen(feed):
    for line in sys.stdin:
        GLib.idle_add(feed.obey, json.loads(line))
    os._exit(0)


def guard(server, factory, options):
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    user, password = options["user"], options["password"]
    if options["tls"]:
        from gi.repository import Gio

        auth.set_tls_certificate(Gio.TlsCertificate.new_from_files(*options["tls"]))
    if not options["auth"]:
        auth.set_default_token(token)
    elif options["auth"] == "basic":
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    else:
        gi.require_version("GstRtsp", "1.0")
        from gi.repository import GstRtsp

        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(user, password, token)
    server.set_auth(auth)
    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_role("viewer")
    permissions.add_permission_for_role("viewer", "media.factory.access", True)
    permissions.add_permission_for_role("viewer", "media.factory.construct", True)
    factory.set_permissions(permissions)


def main():
    options = json.loads(sys.argv[1])
    Gst.init(None)
    feed = Feed(options)
    codec = options["codec"]
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(str(options["port"]))
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(
        f"( appsrc name=feed is-live=true do-timestamp=true format=time max-buffers=2 leaky-type=downstream "
        f"caps=video/x-{codec},stream-format=byte-stream,alignment=au,framerate={options['fps']}/1 "
        f"! {codec}parse ! rtp{codec}pay name=pay0 pt=96 config-interval=-1 )"
    )
    factory.set_shared(True)
    factory.connect("media-configure", feed.configure)
    if options["auth"] or options["tls"]:
        guard(server, factory, options)
    server.get_mount_points().add_factory("/site", factory)
    if server.attach(None) == 0:
        sys.exit(f"port {options['port']} cannot be listened on")
    print(server.get_bound_port(), flush=True)
    threading.Thread(target=listen, args=(feed,), daemon=True).start()
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
