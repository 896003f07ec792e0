"""A camera that speaks RTSP, by GStreamer; run by the Python of the system, which has its bindings.

    /usr/bin/python3 rtsp_server.py PORT WIDTH HEIGHT FPS [basic|digest USER PASSWORD]

Each picture is a chequerboard of 4 x 8 fields that spell, white for 1, the milliseconds of the wall
clock at which it was drawn, modulo 2**32: it can be read again after H.264. Lines on standard input
command it: `freeze`, `thaw`, `size WIDTH HEIGHT`. It writes `ready`, and `client` for each
connection that is made.
"""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402 - versions come first

ROWS, COLUMNS = 4, 8
BLACK, WHITE = bytes([16]), bytes([235])
# With more than one thread x264 cuts pictures into slices, and rtph264pay puts parameter sets
# between the slices of one picture, which no player bears.
PIPELINE = (
    "( appsrc name=source is-live=true format=time do-timestamp=true ! videoconvert"
    " ! video/x-raw,format=I420"
    " ! x264enc tune=zerolatency speed-preset=ultrafast threads=1 key-int-max={keys}"
    " ! rtph264pay name=pay0 pt=96 config-interval=-1 )"
)


def now() -> int:
    return int(time.time() * 1000) & 0xFFFFFFFF


def chequerboard(number: int, width: int, height: int) -> bytes:
    """Greyscale pixels, row by row."""
    bits = f"{number:0{ROWS * COLUMNS}b}"
    fields = {"0": BLACK * (width // COLUMNS), "1": WHITE * (width // COLUMNS)}
    return b"".join(
        b"".join(fields[bit] for bit in bits[begin : begin + COLUMNS]) * (height // ROWS)
        for begin in range(0, len(bits), COLUMNS)
    )


class Scene:
    """What the camera sees, as standard input commands."""

    def __init__(self, width: int, height: int, fps: int) -> None:
        self.size = (width, height)
        self.fps = fps
        self.frozen: int | None = None

    def obey(self) -> None:
        for line in sys.stdin:
            command, *arguments = line.split()
            if command == "size":
                self.size = (int(arguments[0]), int(arguments[1]))
            else:
                self.frozen = now() if command == "freeze" else None

    def caps(self) -> Any:
        width, height = self.size
        return Gst.Caps.from_string(
            f"video/x-raw,format=GRAY8,width={width},height={height},framerate={self.fps}/1"
        )

    def picture(self) -> bytes:
        return chequerboard(now() if self.frozen is None else self.frozen, *self.size)


class Camera(GstRtspServer.RTSPMediaFactory):  # type: ignore[misc]
    """One stream for all who look at it."""

    def __init__(self, scene: Scene) -> None:
        super().__init__()
        self.set_shared(True)
        self._scene = scene

    def do_create_element(self, _url: object) -> Any:
        return Gst.parse_launch(PIPELINE.format(keys=2 * self._scene.fps))

    def do_configure(self, media: Any) -> None:
        source = media.get_element().get_by_name_recurse_up("source")
        over = threading.Event()
        media.connect("unprepared", lambda _media: over.set())
        threading.Thread(target=self._film, args=(source, over), daemon=True).start()

    def _film(self, source: Any, over: threading.Event) -> None:
        scene, due = self._scene, time.monotonic()
        size = None
        # Without a clock yet, pictures would be stamped with times that never come.
        while source.get_state(0).state is not Gst.State.PLAYING and not over.wait(0.01):
            pass
        while not over.is_set():
            if scene.size != size:
                size = scene.size
                source.set_property("caps", scene.caps())
            picture = scene.picture()
            buffer = Gst.Buffer.new_allocate(None, len(picture), None)
            buffer.fill(0, picture)
            source.emit("push-buffer", buffer)
            due = max(due + 1 / scene.fps, time.monotonic())
            over.wait(due - time.monotonic())


def guard(server: Any, camera: Any, method: str, user: str, password: str) -> None:
    """Have the server ask for a password."""
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth = GstRtspServer.RTSPAuth()
    if method == "basic":
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    else:
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(user, password, token)
    server.set_auth(auth)
    permissions = GstRtspServer.RTSPPermissions()
    for permission in ("media.factory.access", "media.factory.construct"):
        permissions.add_permission_for_role("viewer", permission, True)
    camera.set_permissions(permissions)


def main() -> None:
    port, width, height, fps = sys.argv[1:5]
    Gst.init(None)
    scene = Scene(int(width), int(height), int(fps))
    camera = Camera(scene)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    if len(sys.argv) > 5:
        guard(server, camera, *sys.argv[5:8])
    server.get_mount_points().add_factory("/camera", camera)
    server.connect("client-connected", lambda *_: print("client", flush=True))
    assert server.attach(None), f"port {port} is taken"
    threading.Thread(target=scene.obey, daemon=True).start()
    print("ready", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
