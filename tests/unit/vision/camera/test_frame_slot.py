"""The frame slot: whole pictures only, whatever the writer does; the file behind it, and its faults."""

import errno
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision.camera import slot_file
from vision.camera.frame_slot import FrameSlotReader
from vision.camera.picture_outlet import PictureOutlet, fitting
from vision.camera.slot_file import SlotWriter, Stamp, create_slot, remove_slot, remove_stale_slots, slot_capacity

WIDTH, HEIGHT = 320, 180


@pytest.fixture
def slot(tmp_path: Path) -> Iterator[Path]:
    path = create_slot("cam-1", WIDTH, HEIGHT, [tmp_path])
    yield path
    remove_slot(path)


def write(
    writer: SlotWriter, seq: int, size: tuple[int, int] = (WIDTH, HEIGHT), pad: int = 0, session: int = 1
) -> None:
    """A picture of one grey that its number tells."""
    stride = size[0] * 3 + pad
    rows = bytes([seq % 251]) * (stride * size[1])
    writer.write(memoryview(rows), size, stride, Stamp(seq, seq * 10, seq * 10 + 1, seq % 2 == 0, session))


def test_the_newest_picture_wins_and_is_given_once(slot: Path) -> None:
    writer, reader = SlotWriter(slot), FrameSlotReader(slot, "cam-1")
    assert reader.newest() is None
    for seq in (1, 2, 5):
        write(writer, seq)
    frame = reader.newest()
    assert frame is not None
    assert (frame.camera, frame.seq, frame.captured_at_ns, frame.received_at_ns) == ("cam-1", 5, 50, 51)
    assert (frame.stream_time, frame.session) == (False, 1)
    assert frame.image.shape == (HEIGHT, WIDTH, 3)
    assert frame.image.flags["C_CONTIGUOUS"]
    assert (frame.image == 5).all()
    assert reader.newest(5) is None
    assert reader.newest(5, session=1) is None
    assert reader.newest(5, session=2) is not None, "of another connection than the one known"
    reader.close()
    writer.close()


@settings(deadline=None)
@given(
    sizes=st.lists(st.tuples(st.integers(1, WIDTH), st.integers(1, HEIGHT), st.integers(0, 64)), min_size=1, max_size=8)
)
def test_every_size_that_fits_comes_out_as_it_went_in(
    sizes: list[tuple[int, int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = create_slot("cam-1", WIDTH + 32, HEIGHT, [tmp_path_factory.mktemp("slot")])
    writer, reader = SlotWriter(path), FrameSlotReader(path, "cam-1")
    for seq, (width, height, pad) in enumerate(sizes, 1):
        write(writer, seq, (width, height), pad)
        frame = reader.newest(seq - 1)
        assert frame is not None
        assert frame.image.shape == (height, width, 3)
        assert (frame.image == seq).all()
    reader.close()
    writer.close()


def test_a_picture_that_does_not_fit_is_refused(slot: Path) -> None:
    writer = SlotWriter(slot)
    with pytest.raises(ValueError, match="does not fit"):
        write(writer, 1, (WIDTH * 2, HEIGHT * 2))
    with pytest.raises(ValueError, match="does not fit"):
        writer.write(memoryview(bytes(10)), (100, 100), 300, Stamp(1, 0, 0, False, 1))
    assert FrameSlotReader(slot, "cam-1").newest() is None


FAST_WRITER = """
import sys
from pathlib import Path
from tests.unit.vision.camera.test_frame_slot import write
from vision.camera.slot_file import SlotWriter
writer = SlotWriter(Path(sys.argv[1]))
seq = writer.last_seq
print("writing", flush=True)
while True:
    seq += 1
    write(writer, seq)
"""


def start_writer(slot: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", FAST_WRITER, str(slot)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[4])},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    return process


def read_whole(reader: FrameSlotReader, after_seq: int, count: int, process: subprocess.Popen[str]) -> int:
    """Read so many different pictures; each of one grey, the grey of its number."""
    deadline_s = time.monotonic() + 60
    while count:
        assert time.monotonic() < deadline_s
        assert process.poll() is None
        frame = reader.newest(after_seq)
        if frame is None:
            continue
        assert frame.seq > after_seq
        assert frame.captured_at_ns == frame.seq * 10
        assert (frame.image == frame.seq % 251).all(), f"picture {frame.seq} is torn"
        after_seq, count = frame.seq, count - 1
    return after_seq


def test_no_picture_is_torn_while_another_process_writes_as_fast_as_it_can(slot: Path) -> None:
    reader = FrameSlotReader(slot, "cam-1")
    process = start_writer(slot)
    try:
        read_whole(reader, 0, 100, process)
    finally:
        process.kill()
        process.communicate()


def test_a_writer_killed_at_any_moment_leaves_a_whole_picture_and_the_next_goes_on(slot: Path) -> None:
    reader = FrameSlotReader(slot, "cam-1")
    last = 0
    for count in (1, 3, 7):
        process = start_writer(slot)
        last = read_whole(reader, last, count, process)
        process.kill()
        process.communicate()
        frame = reader.newest(0)
        assert frame is not None
        assert frame.seq >= last
        assert (frame.image == frame.seq % 251).all()
        last = frame.seq


def test_a_picture_that_was_never_finished_is_never_seen(slot: Path) -> None:
    """As a writer leaves it that is killed between two words: locked, half written, not published."""
    writer = SlotWriter(slot)
    write(writer, 1)
    torn = slot_file.SlotMap(slot, writable=True)
    at = torn.layout.words_at(2)
    torn.words[at + slot_file.LOCK] = 5
    torn.words[at + slot_file.SEQ] = 2
    reader = FrameSlotReader(slot, "cam-1")
    frame = reader.newest()
    assert frame is not None
    assert frame.seq == 1
    torn.words[slot_file.PUBLISHED_AT] = 2
    assert reader.newest() is None, "published and still locked: a writer is in it"
    again = SlotWriter(slot)
    write(again, 3)
    frame = reader.newest()
    assert frame is not None
    assert frame.seq == 3


@pytest.mark.parametrize("content", [b"", b"short", bytes(8192)])
def test_a_file_that_is_no_slot(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="is no frame slot"):
        FrameSlotReader(path, "cam-1")


def test_no_room_is_said_when_the_slot_is_made(tmp_path: Path) -> None:
    """Not later, by a bus error: the bytes are reserved. A folder that has no room is passed over."""
    with pytest.raises(OSError, match=r".") as caught:
        create_slot("cam-1", 7680, 4320, [Path("/proc/self")])
    assert caught.value.errno in (errno.ENOENT, errno.EACCES, errno.EPERM, errno.ENOSPC)
    path = create_slot("cam-1", WIDTH, HEIGHT, [tmp_path / "missing", tmp_path])
    assert path.parent == tmp_path
    assert path.stat().st_size > 3 * WIDTH * HEIGHT * 3
    assert path.stat().st_mode & 0o077 == 0, "others on the box do not see the site"


def test_slots_of_gateways_that_are_gone_are_removed(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as ended:
        pass
    stale = tmp_path / f"sitewarden-slot-{ended.pid}-cam-1-abc.bgr"
    stale.write_bytes(b"")
    other = tmp_path / "somebody-elses.bgr"
    other.write_bytes(b"")
    mine = create_slot("Cam 1", WIDTH, HEIGHT, [tmp_path])
    in_use = tmp_path / f"sitewarden-slot-{ended.pid}-cam-2-abc.bgr"
    in_use.hardlink_to(mine)
    assert remove_stale_slots([tmp_path, tmp_path / "missing"]) == 1
    assert in_use.exists(), "locked by a gateway whose process id means nothing here"
    assert not stale.exists()
    assert mine.exists()
    assert other.exists()
    remove_slot(mine)
    remove_slot(mine)


@given(st.integers(16, 8000), st.integers(16, 5000))
def test_a_larger_picture_shrinks_until_it_fits_and_keeps_its_shape(width: int, height: int) -> None:
    capacity = slot_capacity(640, 360)
    w, h = fitting(width, height, capacity)
    assert -(-w * 3 // 64) * 64 * h <= capacity
    assert (w, h) == (width, height) or (w <= width and h <= height and w % 2 == h % 2 == 0)
    if (w, h) != (width, height) and min(w, h) > 60:
        assert w / h == pytest.approx(width / height, rel=0.07)


def test_only_as_many_pictures_as_are_wanted(slot: Path) -> None:
    outlet = PictureOutlet(SlotWriter(slot), 5.0)
    due = sum(outlet.due(1000 + number / 15) for number in range(150))
    assert due == pytest.approx(50, abs=3)
    assert not PictureOutlet(None, 5.0).due(1.0), "nobody takes them"
