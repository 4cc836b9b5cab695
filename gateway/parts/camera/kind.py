"""The kind `camera-post`: cameras at one place. What they see are points of their devices; nothing is derived."""

from gateway.settings.kind import AssetKind

CAMERA_POST = AssetKind("camera-post", ("摄像机", "camera post"))
