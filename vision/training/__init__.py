"""Training of the detector that the box ships: pictures and labels in, an ONNX file and its card out. Needs torch."""
