"""`sitewarden vision watch`: what the eye sees in a clip or stream, written to a video file."""
