"""A whole training in seconds: drawn scenes in, a falling loss, an exact resumption, an ONNX file out."""

import copy
import json

import cv2
import numpy
import onnxruntime
import pytest
import torch

from tests.training.scenes import write_folder
from vision.training.batches import Plan, make_batch, weigh
from vision.training.export import Decoded, write_onnx
from vision.training.network import ConvolutionBlock, SiteHeads
from vision.training.train import Recipe, advance, begin, choose, restore, run, save, set_training, to_input
from vision.training.weights import PRIOR_LOGIT, calibrate

SIZES = ((96, 128), (128, 96))
RECIPE = Recipe(rate=4e-3, warm_up_steps=5, average_decay=0.9)


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return choose([write_folder(tmp_path_factory.mktemp("scenes") / "data", 30)], ("held",))


def plan_of(steps):
    return Plan(steps, 4, seed=3, sizes=SIZES)


def small_network(pictures):
    torch.manual_seed(0)
    network = SiteHeads(width=8)
    for head in network.heads:
        torch.nn.init.constant_(head.class_logits.bias, PRIOR_LOGIT)
    calibrate(network, to_input(make_batch(pictures, weigh(pictures), plan_of(10), 0), torch.device("cpu")))
    return network


def weights_of(course):
    return torch.cat([value.float().flatten() for value in course.average.state_dict().values()])


def test_the_loss_falls_and_the_log_tells(pictures, tmp_path):
    course = begin(small_network(pictures), RECIPE)
    run(course, pictures, plan_of(80), RECIPE, tmp_path)
    log = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [entry["step"] for entry in log] == [20, 40, 60, 80]
    assert log[-1]["loss"] < 0.75 * log[0]["loss"]
    assert (tmp_path / "weights.pt").exists()


def test_a_training_cut_off_goes_on_exactly(pictures, tmp_path):
    network, plan = small_network(pictures), plan_of(8)
    whole = begin(copy.deepcopy(network), RECIPE)
    run(whole, pictures, plan, RECIPE, tmp_path)
    cut = begin(copy.deepcopy(network), RECIPE)
    set_training(cut.network)
    for step in range(4):
        advance(cut, make_batch(pictures, weigh(pictures), plan, step), plan, RECIPE)
    save(cut, tmp_path / "half.pt")
    resumed = begin(copy.deepcopy(network), RECIPE)
    restore(resumed, tmp_path / "half.pt")
    assert resumed.step == 4
    run(resumed, pictures, plan, RECIPE, tmp_path)
    assert torch.equal(weights_of(resumed), weights_of(whole))


def test_the_stem_stays_as_it_was(pictures):
    course = begin(small_network(pictures), RECIPE)
    set_training(course.network)
    before = course.network.backbone.stem.convolution.weight.clone()
    advance(course, make_batch(pictures, weigh(pictures), plan_of(4), 0), plan_of(4), RECIPE)
    assert torch.equal(course.network.backbone.stem.convolution.weight, before)


def test_calibration_leaves_the_function_alone(pictures):
    network = SiteHeads(width=8).eval()
    batch = to_input(make_batch(pictures, weigh(pictures), plan_of(4), 0), torch.device("cpu"))
    before = network(batch)[0][0]
    calibrate(network, batch)
    norms = [module.norm for module in network.modules() if isinstance(module, ConvolutionBlock)]
    assert torch.allclose(network(batch)[0][0], before, atol=1e-3)
    assert any(abs(norm.weight[0].item() - 1) > 0.01 for norm in norms)


@pytest.mark.parametrize("shape", [(1, 3, 96, 128), (2, 3, 128, 96)])
def test_the_exported_file_agrees_with_the_network(pictures, tmp_path, shape):
    network = small_network(pictures).eval()
    path = tmp_path / "model.onnx"
    write_onnx(network, path)
    batch = numpy.random.default_rng(1).uniform(0, 255, shape).astype(numpy.float32)
    with torch.no_grad():
        expected = Decoded(network)(torch.from_numpy(batch)).numpy()
    (by_onnxruntime,) = onnxruntime.InferenceSession(str(path)).run(["predictions"], {"images": batch})
    reader = cv2.dnn.readNetFromONNX(str(path))
    reader.setInput(batch)
    assert expected.shape == (shape[0], 7, 96 * 128 * (1 + 4 + 16) // 1024)
    numpy.testing.assert_allclose(by_onnxruntime, expected, atol=0.02, rtol=1e-3)
    numpy.testing.assert_allclose(reader.forward(), expected, atol=0.02, rtol=1e-3)


def test_the_same_weights_export_to_the_same_bytes(pictures, tmp_path):
    network = small_network(pictures)
    for name in ("one.onnx", "two.onnx"):
        write_onnx(network, tmp_path / name)
    assert (tmp_path / "one.onnx").read_bytes() == (tmp_path / "two.onnx").read_bytes()
