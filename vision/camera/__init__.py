"""Cameras: one killable process each that decodes, keeps packets, and holds no model.

    settings        what a site file says of a camera               CameraLinkSettings
    capture_handle  the gateway's side of one capture process       CaptureHandle: run, state, clip, live, slot_path
    frame_slot      the newest picture, for the eye                 FrameSlotReader(slot_path, camera).newest(after_seq)
    capture         the process itself (python -m vision.camera.capture), told everything over its standard input
    measure         what decoding costs here, for the bench         decode_cost, capture_memory

    gateway process                       capture process (killable)
    CaptureHandle ---- plan, clip, live --> control thread ---- PacketRing ----> MP4
                  <--- reports, parts ----- capture loop: open, demux, ring, decode, convert --> frame slot --> the eye

What libav costs in memory is paid in the capture process only: `settings`, `capture_handle` and `frame_slot` do not
import it. The capture process imports neither numpy nor pydantic.
"""
