"""The starting point: an exported YOLOX file read into the network.

In: an ONNX file whose convolutions stand in the order in which they run and whose batch normalisation is folded into
them (as Kazuhito00/YOLOX-ONNX-TFLite-Sample exports Megvii's YOLOX-Nano). Out: the network with those weights. A folded
network trains badly, since the scale of its layers is gone from it; `calibrate` puts normalisation back, from what the
layers say of real pictures, without changing what the network computes.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from vision.training.classes import PERSON
from vision.training.network import ConvolutionBlock, Head, SiteHeads

COCO_PERSON = 0
# A class score begins at about one in a hundred (Lin et al., "Focal loss", arXiv:1708.02002, section 4.1).
PRIOR_LOGIT = -4.6


def read_convolutions(path: Path) -> Iterator[tuple[Tensor, Tensor]]:
    """Weight and bias of every convolution of an ONNX file, in the order in which they run."""
    graph = onnx.load(path).graph
    values = {entry.name: entry for entry in graph.initializer}
    for node in graph.node:
        if node.op_type == "Conv":
            weight, bias = (numpy_helper.to_array(values[name]).astype(numpy.float32) for name in node.input[1:3])
            yield torch.from_numpy(weight.copy()), torch.from_numpy(bias.copy())


def fill_from_yolox(network: SiteHeads, path: Path) -> None:
    """Fill the network from an exported YOLOX of the same width. Batch normalisation begins as a plain bias.

    Raises ValueError where the file is another network.
    """
    convolutions = read_convolutions(path)
    with torch.no_grad():
        for module in (*network.backbone.modules(), *network.neck.modules()):
            if isinstance(module, ConvolutionBlock):
                _fill_block(module, *next(convolutions))
        for head in network.heads:
            assert isinstance(head, Head)
            _fill_head(head, convolutions)
    if next(convolutions, None) is not None:
        raise ValueError(f"{path}: more convolutions than YOLOX-Nano has")


def is_exported(path: Path) -> bool:
    """True for a file that `vision.training.export` wrote."""
    return bool(onnx.load(path).producer_name == "sitewarden")


def fill_from_export(network: SiteHeads, path: Path) -> None:
    """Fill the network from an exported detector of ours, weight by name. Raises ValueError where it is another one."""
    values = {entry.name: numpy_helper.to_array(entry).copy() for entry in onnx.load(path).graph.initializer}
    with torch.no_grad():
        for name, module in network.named_modules():
            convolution = f"{name}.convolution" if isinstance(module, ConvolutionBlock) else name
            if not isinstance(module, ConvolutionBlock) and not name.endswith(("class_logits", ".box")):
                continue
            try:
                weight, bias = (
                    torch.from_numpy(values[f"network.{convolution}.{part}"]) for part in ("weight", "bias")
                )
            except KeyError as error:
                raise ValueError(f"{path}: no {error}") from error
            if isinstance(module, ConvolutionBlock):
                _fill_block(module, weight, bias)
            else:
                module.weight.copy_(weight)
                module.bias.copy_(bias)


def _fill_block(block: ConvolutionBlock, weight: Tensor, bias: Tensor) -> None:
    if weight.shape[1:] == (12, 3, 3):
        weight = focus_to_stride(weight)
    if weight.shape != block.convolution.weight.shape:
        raise ValueError(f"a convolution of {tuple(weight.shape)} where {tuple(block.convolution.weight.shape)} is due")
    block.convolution.weight.copy_(weight)
    block.norm.bias.copy_(bias)
    mean, variance = _statistics(block.norm)
    mean.zero_()
    variance.fill_(1.0 - block.norm.eps)


def _fill_head(head: Head, convolutions: Iterator[tuple[Tensor, Tensor]]) -> None:
    """A head is filled whole: its predictors stand between its towers."""
    for module in _head_order(head):
        if isinstance(module, ConvolutionBlock):
            _fill_block(module, *next(convolutions))
            continue
        weight, bias = next(convolutions)
        assert module.bias is not None
        if module is head.class_logits:
            module.weight.zero_()
            torch.nn.init.normal_(module.weight, std=0.01)
            module.weight[PERSON] = weight[COCO_PERSON]
            module.bias.fill_(PRIOR_LOGIT)
        else:
            module.weight.copy_(weight)
            module.bias.copy_(bias)
    next(convolutions)  # objectness, which this network has not


def _head_order(head: Head) -> Iterator[ConvolutionBlock | nn.Conv2d]:
    for part in (head.stem, head.class_tower, head.class_logits, head.box_tower, head.box):
        for module in part.modules():
            if isinstance(module, ConvolutionBlock) or module is head.class_logits or module is head.box:
                yield module


def focus_to_stride(weight: Tensor) -> Tensor:
    """The 3x3 convolution over the four focus slices as one 6x6 convolution of stride 2 over the picture.

    Slices come as top left, bottom left, top right, bottom right, three colours each.
    """
    whole = weight.new_zeros(weight.shape[0], 3, 6, 6)
    for place, (down, right) in enumerate(((0, 0), (1, 0), (0, 1), (1, 1))):
        whole[:, :, down::2, right::2] = weight[:, 3 * place : 3 * place + 3]
    return whole


def calibrate(network: nn.Module, pictures: Tensor) -> None:
    """Give each normalisation the mean and variance its layer has on `pictures`, and the scale that undoes them.

    What the network computes stays the same; what the optimiser sees is a network with normalisation.
    """

    def set_statistics(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(norm, nn.BatchNorm2d)
        variance, mean = torch.var_mean(inputs[0].float(), dim=(0, 2, 3), correction=0)
        variance = variance.clamp(min=1e-4)
        kept_mean, kept_variance = _statistics(norm)
        kept_mean.copy_(mean)
        kept_variance.copy_(variance)
        norm.weight.copy_((variance + norm.eps).sqrt())
        norm.bias.add_(mean)

    hooks = [module.register_forward_pre_hook(set_statistics) for module in _norms(network)]
    network.eval()
    with torch.no_grad():
        network(pictures)
    for hook in hooks:
        hook.remove()


def _norms(network: nn.Module) -> Iterable[nn.BatchNorm2d]:
    return (module for module in network.modules() if isinstance(module, nn.BatchNorm2d))


def _statistics(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Running mean and variance, which a normalisation of this network always keeps."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    return norm.running_mean, norm.running_var
