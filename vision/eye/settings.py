"""What a site file and a device table may say about a judged camera. Pure schemas: nothing here opens anything.

The link (where the stream comes from) is `vision.camera.settings`; here is how the picture is judged. All fields of the
device travel to the eye process as they are.
"""

from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field, model_validator

from drivers.schema import DeviceSettings, DeviceTable, Name, TablePoint, check_fault_bits
from vision.process.providers import Provider, checked_provider

Check = Literal["no_work_clothes", "in_danger_zone", "under_hook", "person_down"]


class CameraDeviceSettings(DeviceSettings):
    """One judged camera.

    `analyse_fps` frames a second are judged at most, the newest first. `dangerous_works` says that dangerous works
    (危大工程) are watched: blindness is then more than a diagnostic. `model` is the YAML card of a detector in place of
    the shipped one, `backend` what runs it, `provider` the
    hardware that onnxruntime uses (`vision.process.providers`). Heads below `min_head_px`, as the network sees them,
    are left out; a helmet is voted on for `vote_s`.
    `tiles` 2 judges 2 x 2 overlapping parts beside the whole picture, for far heads, at five times the cost.
    `edge_confirm_s`: how long a missing rail is looked at before it is believed (30 s is the practice; less is for
    trying). `edge_resume_s`: what the edge check knew is taken up again after a restart when it is not older than this;
    0 begins anew every time.

    `checks` are the findings on people that this camera is asked for beside helmets and edges; none of them is believed
    until commissioning has confirmed it here (`gateway.line.arming`). `clothes_model` is the YAML card of a model of
    work clothes; without it `no_work_clothes` goes by fluorescent colours (a reflective vest). For `under_hook`:
    `hook_cranes` name the cranes, `hook_radius_m` is the fall zone of a load as the site sets it, around the point
    below the hook; one without a load, or not more than `hook_above_m` over the ground at `hook_ground_z_m`, is no
    danger.
    """

    analyse_fps: Annotated[float, Field(gt=0, le=30)] = 5.0
    dangerous_works: bool = False
    model: Path | None = None
    backend: Literal["onnxruntime", "opencv"] = "onnxruntime"
    provider: Annotated[Provider, AfterValidator(checked_provider)] = "cpu"
    min_head_px: Annotated[float, Field(ge=8, le=400)] = 20.0
    vote_s: Annotated[float, Field(ge=2, le=120)] = 5.0
    tiles: Annotated[int, Field(ge=1, le=4)] = 1
    edge_confirm_s: Annotated[float, Field(ge=1, le=3600)] = 30.0
    edge_resume_s: Annotated[float, Field(ge=0, le=86_400)] = 600.0
    checks: Annotated[tuple[Check, ...], Field(max_length=len(get_args(Check)))] = ()
    clothes_model: Path | None = None
    hook_cranes: Annotated[tuple[Name, ...], Field(max_length=8)] = ()
    hook_radius_m: Annotated[float, Field(gt=0, le=60)] | None = None
    hook_above_m: Annotated[float, Field(ge=0, le=200)] = 6.0
    hook_ground_z_m: Annotated[float, Field(ge=-200, le=1000)] = 0.0

    @model_validator(mode="after")
    def _provider_of_onnxruntime(self) -> "CameraDeviceSettings":
        if self.backend != "onnxruntime" and self.provider != "cpu":
            raise ValueError(f"provider: expected cpu with backend: {self.backend}; only onnxruntime has others")
        return self

    @model_validator(mode="after")
    def _hooks_where_asked(self) -> "CameraDeviceSettings":
        if "under_hook" in self.checks and not (self.hook_cranes and self.hook_radius_m):
            raise ValueError("checks: under_hook needs hook_cranes and hook_radius_m, the fall zone of a load")
        return self


class CameraTable(DeviceTable):
    """The points that the eye fills, by the keys of `vision.eye.judged`. Another table may leave points out. A point
    that is `on_request` is there for the cameras whose `checks` name its item."""

    driver: Literal["camera"] = "camera"
    points: Annotated[tuple[TablePoint, ...], Field(min_length=1)]

    def for_device(self, settings: DeviceSettings) -> "CameraTable":
        """Without the checks that this camera is not asked for."""
        asked = settings.checks if isinstance(settings, CameraDeviceSettings) else ()
        there = tuple(point for point in self.points if not point.on_request or point.item in asked)
        return self.model_copy(update={"points": there})

    @model_validator(mode="after")
    def _consistent(self) -> "CameraTable":
        check_fault_bits(self.points)
        return self
