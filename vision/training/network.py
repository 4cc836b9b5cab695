"""The detector's network: YOLOX-Nano with one class tower less, rebuilt so that it can be trained on.

In: pictures (n, 3, H, W), float32, blue-green-red, 0..255, H and W multiples of 32. Out: for every anchor point four
box numbers and one logit per class. The shape of the network is Megvii's YOLOX-Nano
(https://github.com/Megvii-BaseDetection/ YOLOX, Apache-2.0; Ge et al., "YOLOX: Exceeding YOLO Series in 2021",
arXiv:2107.08430); `weights.py` fills it from an exported file. It must not know of data, of losses or of files.

          stem /2 -- dark2 /4 -- dark3 /8 ----------- dark4 /16 ---------- dark5 /32
                                    |                    |                    |
                                    v   <-- reduce --    v  <--- lateral ---  v
                                 merge3               merge4                  |
                                    |   --- down --->    |   --- down --->    |
                                    v                    v                    v
                                 head /8              head /16             head /32

Two things differ from the original. The focus slices of the stem are one 6x6 convolution of stride 2 (the same numbers,
and nothing for cv2.dnn to stumble over), and there is no objectness: a class score alone says how likely and how well
placed a box is, so that a class whose labels are incomplete can be left out of the loss without hurting the others.

Modules are registered in the order in which they run; `weights.py` relies on it.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vision.training.classes import CLASS_NAMES

STRIDES = (8, 16, 32)


class ConvolutionBlock(nn.Module):
    """Convolution, batch normalisation, SiLU."""

    def __init__(self, inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        padding = (size - 1) // 2
        self.convolution = nn.Conv2d(inputs, outputs, size, stride, padding, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.03)
        self.activation = nn.SiLU(inplace=True)

    def forward(self, features: Tensor) -> Tensor:
        """(n, inputs, h, w) to (n, outputs, h / stride, w / stride)."""
        return self.activation(self.norm(self.convolution(features)))


class SeparableBlock(nn.Sequential):
    """A 3x3 convolution per channel, then 1x1 across channels."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__(
            ConvolutionBlock(inputs, inputs, 3, stride, groups=inputs), ConvolutionBlock(inputs, outputs, 1)
        )


class Bottleneck(nn.Module):
    """1x1 then separable 3x3, with its input added where `shortcut` says so."""

    def __init__(self, channels: int, shortcut: bool) -> None:
        super().__init__()
        self.reduce = ConvolutionBlock(channels, channels, 1)
        self.separable = SeparableBlock(channels, channels)
        self.shortcut = shortcut

    def forward(self, features: Tensor) -> Tensor:
        """The same shape out as in."""
        result: Tensor = self.separable(self.reduce(features))
        return result + features if self.shortcut else result


class CrossStage(nn.Module):
    """Half of the channels through bottlenecks, half straight on, then joined (cross-stage partial layer)."""

    def __init__(self, inputs: int, outputs: int, depth: int = 1, shortcut: bool = False) -> None:
        super().__init__()
        hidden = outputs // 2
        self.deep = ConvolutionBlock(inputs, hidden, 1)
        self.straight = ConvolutionBlock(inputs, hidden, 1)
        self.bottlenecks = nn.Sequential(*(Bottleneck(hidden, shortcut) for _ in range(depth)))
        self.join = ConvolutionBlock(2 * hidden, outputs, 1)

    def forward(self, features: Tensor) -> Tensor:
        """(n, inputs, h, w) to (n, outputs, h, w)."""
        deep = self.bottlenecks(self.deep(features))
        return self.join(torch.cat((deep, self.straight(features)), 1))


class PyramidPooling(nn.Module):
    """The same features seen through windows of 1, 5, 9 and 13 cells (spatial pyramid pooling).

    9 and 13 are 5 applied twice and three times: a maximum of maxima.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.reduce = ConvolutionBlock(channels, channels // 2, 1)
        self.pool = nn.MaxPool2d(5, 1, 2)
        self.join = ConvolutionBlock(channels * 2, channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        """The same shape out as in."""
        one = self.reduce(features)
        five = self.pool(one)
        nine = self.pool(five)
        return self.join(torch.cat((one, five, nine, self.pool(nine)), 1))


class Backbone(nn.Module):
    """From pixels to features at strides 8, 16 and 32."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.stem = ConvolutionBlock(3, width, 6, 2)
        self.dark2 = nn.Sequential(SeparableBlock(width, 2 * width, 2), CrossStage(2 * width, 2 * width, 1, True))
        self.dark3 = nn.Sequential(SeparableBlock(2 * width, 4 * width, 2), CrossStage(4 * width, 4 * width, 3, True))
        self.dark4 = nn.Sequential(SeparableBlock(4 * width, 8 * width, 2), CrossStage(8 * width, 8 * width, 3, True))
        self.dark5 = nn.Sequential(
            SeparableBlock(8 * width, 16 * width, 2), PyramidPooling(16 * width), CrossStage(16 * width, 16 * width)
        )

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features of 4, 8 and 16 times the width."""
        stride8 = self.dark3(self.dark2(self.stem(pictures)))
        stride16 = self.dark4(stride8)
        return stride8, stride16, self.dark5(stride16)


class Neck(nn.Module):
    """Features handed down from coarse to fine and back up (path aggregation)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.lateral = ConvolutionBlock(16 * width, 8 * width, 1)
        self.merge4 = CrossStage(16 * width, 8 * width)
        self.reduce = ConvolutionBlock(8 * width, 4 * width, 1)
        self.merge3 = CrossStage(8 * width, 4 * width)
        self.down4 = SeparableBlock(4 * width, 4 * width, 2)
        self.out4 = CrossStage(8 * width, 8 * width)
        self.down5 = SeparableBlock(8 * width, 8 * width, 2)
        self.out5 = CrossStage(16 * width, 16 * width)
        self.enlarge = nn.Upsample(scale_factor=2, mode="nearest")

    def forward(self, stride8: Tensor, stride16: Tensor, stride32: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features of the same three strides, each having seen the others."""
        coarse = self.lateral(stride32)
        middle = self.reduce(self.merge4(torch.cat((self.enlarge(coarse), stride16), 1)))
        fine = self.merge3(torch.cat((self.enlarge(middle), stride8), 1))
        middle_out = self.out4(torch.cat((self.down4(fine), middle), 1))
        coarse_out = self.out5(torch.cat((self.down5(middle_out), coarse), 1))
        return fine, middle_out, coarse_out


class Head(nn.Module):
    """One stride's predictor: a tower for classes, a tower for boxes."""

    def __init__(self, inputs: int, channels: int, classes: int) -> None:
        super().__init__()
        self.stem = ConvolutionBlock(inputs, channels, 1)
        self.class_tower = nn.Sequential(SeparableBlock(channels, channels), SeparableBlock(channels, channels))
        self.class_logits = nn.Conv2d(channels, classes, 1)
        self.box_tower = nn.Sequential(SeparableBlock(channels, channels), SeparableBlock(channels, channels))
        self.box = nn.Conv2d(channels, 4, 1)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Box numbers (n, 4, h, w) and class logits (n, classes, h, w)."""
        shared = self.stem(features)
        return self.box(self.box_tower(shared)), self.class_logits(self.class_tower(shared))


@dataclass(frozen=True, slots=True)
class Predictions:
    """What the network says of a batch, one row per anchor point, fine strides first.

    `boxes_xyxy_px` (n, anchors, 4) and `logits` (n, anchors, classes); `centres_xy_px` (anchors, 2) and `strides_px`
    (anchors,) say where each row looks.
    """

    boxes_xyxy_px: Tensor
    logits: Tensor
    centres_xy_px: Tensor
    strides_px: Tensor


class SiteHeads(nn.Module):
    """The whole network. `width` 16 is YOLOX-Nano; the smoke test trains a narrower one."""

    def __init__(self, width: int = 16, classes: int = len(CLASS_NAMES)) -> None:
        super().__init__()
        self.backbone = Backbone(width)
        self.neck = Neck(width)
        self.heads = nn.ModuleList(Head(times * width, 4 * width, classes) for times in (4, 8, 16))

    def forward(self, pictures: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Per stride: box numbers (n, 4, h, w) and class logits (n, classes, h, w)."""
        features = self.neck(*self.backbone(pictures))
        return [head(level) for head, level in zip(self.heads, features, strict=True)]


def decode(levels: list[tuple[Tensor, Tensor]]) -> Predictions:
    """Box numbers into pixel boxes: centre = (number + cell) * stride, side = exp(number) * stride, as in YOLOX."""
    boxes, logits, centres, strides = [], [], [], []
    for (numbers, level_logits), stride in zip(levels, STRIDES, strict=True):
        height, width = numbers.shape[-2:]
        cell_y, cell_x = torch.meshgrid(
            torch.arange(height, device=numbers.device), torch.arange(width, device=numbers.device), indexing="ij"
        )
        cells = torch.stack((cell_x, cell_y), -1).reshape(-1, 2).float()
        rows = numbers.float().flatten(2).transpose(1, 2)
        middle = (rows[..., :2] + cells) * stride
        half = rows[..., 2:].clamp(max=8.0).exp() * (stride / 2)
        boxes.append(torch.cat((middle - half, middle + half), -1))
        logits.append(level_logits.float().flatten(2).transpose(1, 2))
        centres.append((cells + 0.5) * stride)
        strides.append(torch.full((height * width,), float(stride), device=numbers.device))
    return Predictions(torch.cat(boxes, 1), torch.cat(logits, 1), torch.cat(centres), torch.cat(strides))
