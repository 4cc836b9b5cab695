"""The trained network as an ONNX file that onnxruntime and cv2.dnn read.

In: averaged weights of a training. Out: one file. Input `images` (n, 3, H, W), float32, blue-green-red, 0..255; output
`predictions` (n, 4 + classes, anchors): centre x, centre y, width, height in pixels of the input, then class scores
0..1. n, H and W are free, H and W multiples of 32. This is the layout that the detector's registry calls `yolov8`.

Normalisation is folded into the convolutions. Cells are counted by running sums over a plane of ones, so that the graph
needs no shape arithmetic.
"""

import argparse
import copy
import sys
import warnings
from pathlib import Path

import onnx
import torch
from onnx import helper
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from vision.training.network import STRIDES, ConvolutionBlock, SiteHeads

OPSET = 13
EXAMPLE_SIZE = (96, 128)


class Decoded(nn.Module):
    """The network with its boxes decoded, as it is exported."""

    def __init__(self, network: SiteHeads) -> None:
        super().__init__()
        self.network = network

    def forward(self, pictures: Tensor) -> Tensor:
        """(n, 3, H, W) to (n, 4 + classes, anchors)."""
        rows = []
        for (numbers, logits), stride in zip(self.network(pictures), STRIDES, strict=True):
            ones = numbers[:, :1] * 0.0 + 1.0
            cells = torch.cat((ones.cumsum(3) - 1.0, ones.cumsum(2) - 1.0), 1)
            middles = (numbers[:, :2] + cells) * float(stride)
            sides = numbers[:, 2:].clamp(max=8.0).exp() * float(stride)
            rows.append(torch.cat((middles, sides, logits.sigmoid()), 1).flatten(2))
        return torch.cat(rows, 2)


def fold(network: SiteHeads) -> SiteHeads:
    """A copy whose normalisation is part of its convolutions."""
    folded = copy.deepcopy(network).eval()
    for module in folded.modules():
        if isinstance(module, ConvolutionBlock):
            module.convolution = fuse_conv_bn_eval(module.convolution, module.norm)
            module.add_module("norm", nn.Identity())
    return folded


def write_onnx(network: SiteHeads, path: Path) -> None:
    """Write the file; the same weights give the same bytes."""
    decoded = Decoded(fold(network)).eval()
    example = torch.zeros(2, 3, *EXAMPLE_SIZE)
    free = {"images": {0: "n", 2: "height", 3: "width"}, "predictions": {0: "n", 2: "anchors"}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            decoded,
            (example,),
            str(path),
            input_names=["images"],
            output_names=["predictions"],
            dynamic_axes=free,
            opset_version=OPSET,
            dynamo=False,
        )
    model = onnx.load(path)
    model.doc_string = ""
    model.producer_name = "sitewarden"
    helper.set_model_props(
        model, {"classes": "helmet,head,person", "attribution": "fine-tuned from Megvii YOLOX-Nano, Apache-2.0"}
    )
    onnx.checker.check_model(model)
    onnx.save(model, path)


def read_weights(path: Path) -> SiteHeads:
    """The network of a training's `weights.pt`, or the averaged one of a checkpoint."""
    network = SiteHeads()
    state = torch.load(path, weights_only=True)
    network.load_state_dict(state.get("average", state))
    return network.eval()


def main() -> int:
    """Export a training's weights: `python -m vision.training.export weights.pt site_heads.onnx`."""
    parser = argparse.ArgumentParser(prog="python -m vision.training.export", description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("model", type=Path)
    arguments = parser.parse_args()
    arguments.model.parent.mkdir(parents=True, exist_ok=True)
    write_onnx(read_weights(arguments.weights), arguments.model)
    return 0


if __name__ == "__main__":
    sys.exit(main())
