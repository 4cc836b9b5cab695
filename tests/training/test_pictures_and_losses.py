"""The parts of a training, each by itself."""

import gzip
import json

import cv2
import numpy
import onnx
import pytest
import torch
from onnx import helper, numpy_helper

from tests.training.scenes import write_folder
from vision.training import augment
from vision.training.augment import Focus, cut, make_mosaic
from vision.training.card import write_card
from vision.training.classes import HEAD, HELMET, PERSON, UNSURE_HEAD, UNSURE_PERSON
from vision.training.export import write_onnx
from vision.training.losses import assign, generalised_overlap, measure_loss
from vision.training.manifest import write_manifest
from vision.training.network import ConvolutionBlock, SiteHeads, decode
from vision.training.pictures import HELMET_TOO_LONG, Picture, Source, correct, in_sets, load, read_sources
from vision.training.train import choose, computes_bfloat16
from vision.training.weights import fill_from_export, fill_from_yolox, focus_to_stride, is_exported


def square_picture(complete=True):
    """A white square, labelled as a helmet, on black."""
    pixels = numpy.zeros((120, 160, 3), numpy.uint8)
    pixels[40:70, 60:90] = 255
    return Picture("a.png", "drawn", pixels, numpy.array([[HELMET, 60, 40, 90, 70]], numpy.float32), complete)


def anchors(height=32, width=32, person_logit=0.0):
    levels = []
    for stride in (8, 16, 32):
        shape = (1, 4, height // stride, width // stride)
        logits = torch.full((1, 3, *shape[2:]), -4.0)
        logits[:, PERSON] = person_logit
        levels.append((torch.zeros(shape), logits.requires_grad_()))
    return levels, decode(levels)


def test_helmets_of_a_set_that_boxes_them_too_low_end_higher_and_nothing_else_moves():
    boxes = numpy.array([[HELMET, 60, 40, 90, 70], [HEAD, 10, 10, 20, 22], [PERSON, 55, 40, 95, 119]], numpy.float32)
    picture = Picture("a.png", "low", numpy.zeros((120, 160, 3), numpy.uint8), boxes, True)
    raised = correct(picture, {"low": 0.2})
    assert raised.boxes[0].tolist() == [HELMET, 60, 40, 90, 64]
    assert (raised.boxes[1:] == boxes[1:]).all()
    assert (correct(picture, {"other": 0.2}).boxes == boxes).all()
    assert picture.boxes[0, 4] == 70


def test_a_training_takes_corrected_labels_and_files_keep_theirs(tmp_path, monkeypatch):
    monkeypatch.setitem(HELMET_TOO_LONG, "drawn", 0.5)
    folder = write_folder(tmp_path, 24)
    read = {source.name: load(source) for source in read_sources(folder)}
    for picture in choose([folder], ("held",)):
        helmets = picture.boxes[:, 0] == HELMET
        before, after = read[picture.name].boxes[helmets], picture.boxes[helmets]
        assert after[:, 4] - after[:, 2] == pytest.approx((before[:, 4] - before[:, 2]) / 2)
    assert any((read[picture.name].boxes != picture.boxes).any() for picture in choose([folder], ("held",)))


@pytest.mark.parametrize(
    ("found", "expected"),
    [({"avx512_bf16": True}, True), ({"avx2": True, "avx512_bf16": False}, False), ({"bf16": True}, True)],
)
def test_bfloat16_is_for_processors_that_have_instructions_for_it(monkeypatch, found, expected):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: found)
    assert computes_bfloat16(torch.device("cpu")) is expected


@pytest.mark.parametrize("seed", range(12))
def test_a_cut_moves_boxes_with_pixels(seed):
    random = numpy.random.default_rng(seed)
    canvas = cut(square_picture(), 100, 120, 0.9, Focus(75.0, 55.0, 30.0), random)
    rows, columns = numpy.nonzero(canvas.pixels[..., 0] > 200)
    assert len(canvas.boxes) == 1
    seen = numpy.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
    assert numpy.abs(canvas.boxes[0, 1:] - seen).max() <= 3.5


def test_a_mosaic_keeps_boxes_inside_and_follows_its_seed():
    canvases = [make_mosaic([square_picture()] * 4, 96, 128, numpy.random.default_rng(5)) for _ in range(2)]
    assert (canvases[0].pixels == canvases[1].pixels).all()
    assert (canvases[0].boxes[:, 1:] >= 0).all()
    assert (canvases[0].boxes[:, [1, 3]] <= 128).all()
    assert (canvases[0].boxes[:, [2, 4]] <= 96).all()


def test_below_a_head_without_a_person_box_stands_perhaps_somebody():
    random = numpy.random.default_rng(0)
    unsure = cut(square_picture(complete=False), 120, 160, 1.0, Focus(75.0, 55.0, 30.0), random)
    sure = cut(square_picture(complete=True), 120, 160, 1.0, Focus(75.0, 55.0, 30.0), random)
    assert (unsure.boxes[:, 0] == UNSURE_PERSON).sum() == 1
    assert (sure.boxes[:, 0] == UNSURE_PERSON).sum() == 0


def test_a_head_is_answered_for_by_points_inside_it():
    _, predictions = anchors()
    rows = torch.tensor([[float(HEAD), 2.0, 2.0, 14.0, 14.0]])
    assigned = assign(predictions.logits[0].sigmoid(), predictions.boxes_xyxy_px[0], predictions, rows)
    points = predictions.centres_xy_px[assigned.chosen]
    assert len(points) > 0
    assert ((points > 2) & (points < 14)).all()
    assert (assigned.targets[:, HEAD] > 0).equal(assigned.chosen)
    assert not assigned.targets[:, HELMET].any()


def test_an_unsure_place_teaches_nothing_about_persons():
    levels, predictions = anchors(person_logit=2.0)
    measure_loss(predictions, [torch.tensor([[float(UNSURE_PERSON), 0.0, 0.0, 32.0, 32.0]])]).total.backward()
    assert levels[0][1].grad[:, PERSON].abs().sum() == 0
    assert levels[0][1].grad[:, HEAD].abs().sum() > 0


def test_overlap_of_equal_boxes_is_one_and_of_far_ones_below_zero():
    box, far = torch.tensor([[0.0, 0.0, 4.0, 4.0]]), torch.tensor([[40.0, 0.0, 44.0, 4.0]])
    assert generalised_overlap(box, box).item() == pytest.approx(1)
    assert generalised_overlap(box, far).item() < 0


def test_the_stem_is_the_focus_slices_and_their_convolution():
    torch.manual_seed(0)
    picture, weight = torch.rand(1, 3, 16, 16), torch.rand(5, 12, 3, 3)
    slices = torch.cat([picture[..., down::2, right::2] for right in (0, 1) for down in (0, 1)], 1)
    expected = torch.nn.functional.conv2d(slices, weight, padding=1)
    assert torch.allclose(
        torch.nn.functional.conv2d(picture, focus_to_stride(weight), stride=2, padding=2), expected, atol=1e-4
    )


def yolox_file(path, width=8, spare=0):
    """A file with nothing but the convolutions of a YOLOX of that width, in order."""
    network, shapes = SiteHeads(width), []
    for module in (*network.backbone.modules(), *network.neck.modules()):
        if isinstance(module, ConvolutionBlock):
            shapes.append(tuple(module.convolution.weight.shape))
    shapes[0] = (width, 12, 3, 3)
    for head in network.heads:
        tower = [
            tuple(block.convolution.weight.shape)
            for block in head.box_tower.modules()
            if isinstance(block, ConvolutionBlock)
        ]
        channels = tower[0][0]
        shapes += [tuple(head.stem.convolution.weight.shape), *tower, (80, channels, 1, 1), *tower]
        shapes += [(4, channels, 1, 1), (1, channels, 1, 1)]
    shapes += [(1, 1, 1, 1)] * spare
    random = numpy.random.default_rng(0)
    nodes, values = [], []
    for number, shape in enumerate(shapes):
        for kind, array in (("w", random.random(shape)), ("b", random.random(shape[0]))):
            values.append(numpy_helper.from_array(array.astype(numpy.float32), f"{kind}{number}"))
        nodes.append(helper.make_node("Conv", ["x", f"w{number}", f"b{number}"], [f"y{number}"]))
    onnx.save(helper.make_model(helper.make_graph(nodes, "g", [], [], values)), path)
    return {value.name: numpy_helper.to_array(value) for value in values}


def test_a_network_is_filled_from_a_yolox_file(tmp_path):
    values = yolox_file(tmp_path / "yolox.onnx")
    network = SiteHeads(8).eval()
    fill_from_yolox(network, tmp_path / "yolox.onnx")
    last = network.heads[2].box.bias.detach().numpy()
    place = max(int(name[1:]) for name, value in values.items() if name[0] == "w" and value.shape[0] == 4)
    assert (last == values[f"b{place}"]).all()
    person = max(int(name[1:]) for name, value in values.items() if name[0] == "w" and value.shape[0] == 80)
    assert (network.heads[2].class_logits.weight[PERSON].detach().numpy() == values[f"w{person}"][0]).all()


@pytest.mark.parametrize("kind", ["wider", "longer"])
def test_another_network_is_refused(tmp_path, kind):
    yolox_file(tmp_path / "other.onnx", width=16 if kind == "wider" else 8, spare=int(kind == "longer"))
    with pytest.raises(ValueError, match="convolution"):
        fill_from_yolox(SiteHeads(8), tmp_path / "other.onnx")


def test_a_set_held_out_is_not_trained_on(tmp_path):
    sources = read_sources(write_folder(tmp_path / "data", 10))
    assert {source.set_name for source in sources if not in_sets(source.set_name, ("held",))} == {"drawn"}


@pytest.mark.parametrize(("pattern", "held"), [("css", True), ("css_test", True), ("cctv_2_20", False), ("cs", False)])
def test_a_set_is_held_out_by_its_name_or_its_first_words(pattern, held):
    name = "cctv_2_201" if pattern.startswith("cctv") else "css_test"
    assert in_sets(name, (pattern,)) is held


def test_a_folder_without_a_list_is_one_of_fixed_cameras_and_its_sets_are_the_cameras(tmp_path):
    for part in ("images", "labels"):
        (tmp_path / part).mkdir()
    cv2.imwrite(str(tmp_path / "images" / "cctv_2_20_neg_3c_88.jpg"), numpy.zeros((96, 128, 3), numpy.uint8))
    rows = ["0 0.5 0.5 0.2 0.2", "3 0.5 0.5 0.4 0.4", "5 0.2 0.2 0.1 0.1", "2 0.5 0.5 0.5 0.9"]
    (tmp_path / "labels" / "cctv_2_20_neg_3c_88.txt").write_text("\n".join(rows))
    (source,) = read_sources(tmp_path)
    picture = load(source)
    assert (source.set_name, source.core, picture.people_complete, picture.fixed_camera) == ("cctv_2_20", *[True] * 3)
    assert picture.boxes[:, 0].tolist() == [HELMET, UNSURE_HEAD, PERSON]


def test_a_head_that_nobody_can_judge_is_taught_neither_way():
    network = SiteHeads(8).eval()
    canvas = torch.full((1, 3, 96, 128), 90.0)
    losses = []
    for rows in ([[UNSURE_HEAD, 0, 0, 128, 96]], [[UNSURE_HEAD, 0, 0, 1, 1]]):
        losses.append(measure_loss(decode(network(canvas)), [torch.tensor(rows, dtype=torch.float32)]).scores)
    assert losses[0] < losses[1]


def test_what_bad_weather_hides_becomes_an_unsure_place(monkeypatch):
    picture = square_picture()
    monkeypatch.setattr(augment, "degrade_at_random", lambda pixels, *_: numpy.full_like(pixels, 128))
    kinds = make_mosaic([picture] * 4, 96, 128, numpy.random.default_rng(5)).boxes[:, 0]
    assert len(kinds)
    assert set(kinds.tolist()) <= {UNSURE_HEAD, UNSURE_PERSON}


def test_a_training_goes_on_from_an_exported_detector_with_the_same_answers(tmp_path):
    torch.manual_seed(1)
    network = SiteHeads(8)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias)
    write_onnx(network.eval(), tmp_path / "ours.onnx")
    assert is_exported(tmp_path / "ours.onnx")
    other = SiteHeads(8)
    fill_from_export(other, tmp_path / "ours.onnx")
    picture = torch.rand(1, 3, 96, 128) * 255
    with torch.no_grad():
        for one, same in zip(network(picture), other.eval()(picture), strict=True):
            assert torch.allclose(one[0], same[0], atol=1e-3)
            assert torch.allclose(one[1], same[1], atol=1e-3)


def test_a_file_that_is_no_picture_is_named(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "broken.jpg").write_bytes(b"\xff\xd8no picture")
    with pytest.raises(ValueError, match=r"broken\.jpg"):
        load(Source(tmp_path, "images/broken.jpg", "drawn", True, True))


def test_a_manifest_has_digests_and_no_names(tmp_path):
    folder = write_folder(tmp_path / "data", 6)
    write_manifest([folder], tmp_path / "one")
    write_manifest([folder], tmp_path / "two")
    one = (tmp_path / "one" / "manifest.txt.gz").read_bytes()
    assert one == (tmp_path / "two" / "manifest.txt.gz").read_bytes()
    assert b"scene" not in gzip.decompress(one)
    cv2.imwrite(str(folder / "images" / "scene_0.png"), numpy.zeros((96, 128, 3), numpy.uint8))
    write_manifest([folder], tmp_path / "two")
    digests = [json.loads((tmp_path / name / "manifest.json").read_text())["sha256"] for name in ("one", "two")]
    assert digests[0] != digests[1]


def test_a_card_is_made_of_figures(tmp_path):
    (tmp_path / "m.yaml").write_text(
        "{name: m, version: '1', sha256: abc, inputs: [[64, 32]], thresholds: {helmet: 0.5}, card: m.md}"
    )
    one = {"n": 3, "precision": 0.5, "recall": 0.25, "f1": 0.3333, "ap50": None}
    helmet = {
        **one,
        "threshold": [0.5, 0.4],
        "interval": {"f1": [0.1, 0.6]},
        "sizes": {">=64": one, "<12": {**one, "n": 0}},
    }
    figures = {"images": 2, "classes": {"helmet": helmet}, "data_sha256": "0123456789abcdef"}
    text = write_card(tmp_path / "m.yaml", [("On drawings", figures)]).read_text()
    assert "| helmet | **all** | 3 | 0.500 | 0.250 | 0.333 | 0.100 to 0.600 | - | 0.50, 0.40 |" in text
    assert ">=64 px" in text
    assert "<12 px" not in text
    assert "{{" not in text
