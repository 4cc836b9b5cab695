"""Pictures to boxes of helmets, bare heads and persons, with any YOLO-style ONNX model that the registry describes.

    detector = open_detector(SHIPPED_MODEL)
    detections, = detector.detect([frame])

Imports cv2: for the eye process and the commands, not for the gateway process.
"""

from vision.detector.detector import Detector, as_detections, check_picture, open_detector
from vision.detector.engine import Backend
from vision.detector.faults import ModelError, PictureError
from vision.detector.registry import SHIPPED_MODEL, Model, ModelEntry, read_model
from vision.detector.tiles import Tiling

__all__ = [
    "SHIPPED_MODEL",
    "Backend",
    "Detector",
    "Model",
    "ModelEntry",
    "ModelError",
    "PictureError",
    "Tiling",
    "as_detections",
    "check_picture",
    "open_detector",
    "read_model",
]
