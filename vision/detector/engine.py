"""Two libraries that run an ONNX model, behind one shape: onnxruntime, and OpenCV's dnn where that is missing.

In: the bytes of a model. Out: `Engine.run(batch) -> output`. Knows nothing of boxes. Both run on the CPU
with a set number of threads, onnxruntime also on another provider (`vision.process.providers`). They send nothing
anywhere. A batch goes through in one run where the model allows it, else one by one.
"""

import contextlib
import logging
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.detector.faults import ModelError
from vision.process.providers import CPU, PROVIDERS

log = logging.getLogger(__name__)
ARENA_LIMIT_BYTES = 1 << 30
ONLY_ERRORS = 3


class Backend(StrEnum):
    """Which library runs the model: onnxruntime or OpenCV."""

    ONNXRUNTIME = "onnxruntime"
    OPENCV = "opencv"


class Engine(Protocol):
    """A loaded model that can be run on a batch."""

    backend: Backend

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.generic]:
        """Output (n, ...) of a batch (n, 3, h, w). Raises ModelError when the model refuses it."""
        ...


class ModelFile(Protocol):
    """The bytes of a model, of whatever it is one: `vision.detector.registry.Model`, a model of clothes."""

    @property
    def file(self) -> Path:
        """Where they were read, for messages."""
        ...

    @property
    def body(self) -> bytes:
        """All bytes of the model's file, as it lies there."""
        ...

    @property
    def output(self) -> str | None:
        """The one to read; None where there is only one."""
        ...


def open_engine(model: ModelFile, backend: Backend, threads: int, provider: str = "cpu") -> Engine:
    """Load a model. Where onnxruntime cannot be imported OpenCV takes its place, and the log says so. Raises ModelError
    when the bytes are no model, or one that this library cannot run."""
    if backend is Backend.ONNXRUNTIME:
        try:
            import onnxruntime  # noqa: PLC0415  (optional, and slow to import)
        except ImportError as error:
            log.warning(
                "onnxruntime cannot be imported (%s). The detector runs on OpenCV, about half as fast. "
                "Install it: pip install 'sitewarden[box]'",
                error,
            )
        else:
            return OnnxruntimeEngine(onnxruntime, model, threads, PROVIDERS[provider])
    return OpencvEngine(model, threads)


class OnnxruntimeEngine:
    """A model that is run by onnxruntime."""

    backend = Backend.ONNXRUNTIME

    def __init__(self, library: Any, model: ModelFile, threads: int, provider: str = CPU) -> None:
        self._file = model.file
        self._session = _session(library, model, threads, provider)
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or inputs[0].type != "tensor(float)" or len(inputs[0].shape) != 4:
            found = "; ".join(f"{one.name} {one.type} {one.shape}" for one in inputs)
            raise ModelError(f"{self._file}: inputs are {found}; one tensor(float) (n, 3, h, w) expected")
        self._input: str = inputs[0].name
        batch_axis = inputs[0].shape[0]
        self._one_by_one = batch_axis == 1
        if isinstance(batch_axis, int) and batch_axis != 1:
            raise ModelError(f"{self._file}: batch of {batch_axis} is fixed; 1 or a free batch axis expected")
        self._output = _output_name([one.name for one in self._session.get_outputs()], model)

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.generic]:
        """Output of the batch. A model that promises a free batch axis and does not keep it (or needs more memory than
        the limit for a whole batch) gets its pictures one by one from then on."""
        if len(batch) == 1 or self._one_by_one:
            return self._each(batch)
        try:
            output = self._run(batch)
            if len(output) == len(batch):
                return output
            reason = f"output of {len(output)}"
        except ModelError as error:
            reason = str(error)
        output = self._each(batch)
        self._one_by_one = True
        log.warning(
            "%s does not accept a batch of %d (%s): frames are judged one by one", self._file, len(batch), reason
        )
        return output

    def _each(self, batch: NDArray[np.float32]) -> NDArray[np.generic]:
        return np.concatenate([self._run(batch[row : row + 1]) for row in range(len(batch))])

    def _run(self, batch: NDArray[np.float32]) -> NDArray[np.generic]:
        try:
            return np.asarray(self._session.run([self._output], {self._input: batch})[0])
        except Exception as error:  # the library raises classes of its own
            raise ModelError(f"{self._file}: input {batch.shape} was refused: {_first_line(error)}") from error


class OpencvEngine:
    """Runs a model in OpenCV's dnn. Pictures go one by one: its ONNX importer fixes shapes at the first run."""

    backend = Backend.OPENCV

    def __init__(self, model: ModelFile, threads: int) -> None:
        self._file = model.file
        cv2.setNumThreads(threads)
        try:
            self._net = cv2.dnn.readNetFromONNX(np.frombuffer(model.body, dtype=np.uint8))
        except (cv2.error, SystemError) as error:
            raise ModelError(f"{self._file}: OpenCV reads no ONNX model from it: {_first_line(error)}") from error
        if self._net.empty():
            raise ModelError(f"{self._file}: OpenCV reads no ONNX model from it")
        self._output = _output_name(list(self._net.getUnconnectedOutLayersNames()), model)

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.generic]:
        """The model's output for this batch, by OpenCV."""
        return np.concatenate([self._run(batch[row : row + 1]) for row in range(len(batch))])

    def _run(self, batch: NDArray[np.float32]) -> NDArray[np.generic]:
        try:
            self._net.setInput(batch)
            return np.array(self._net.forward(self._output))
        except cv2.error as error:
            raise ModelError(f"{self._file}: input {batch.shape} was refused: {_first_line(error)}") from error


def _session(library: Any, model: ModelFile, threads: int, provider: str) -> Any:
    options = library.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = ONLY_ERRORS
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # the cores are shared with the gateway
    options.add_session_config_entry("session.use_env_allocators", "1")
    with contextlib.suppress(AttributeError):
        library.disable_telemetry_events()
    _limit_arena(library)
    try:
        session = library.InferenceSession(model.body, options, providers=[*dict.fromkeys((provider, CPU))])
    except Exception as error:  # the library raises classes of its own
        raise ModelError(f"{model.file}: onnxruntime reads no ONNX model from it: {_first_line(error)}") from error
    if provider not in session.get_providers():  # the library goes on with the processor where a device fails
        raise ModelError(f"{model.file}: onnxruntime could not start {provider}: see its messages in the log")
    return session


def _limit_arena(library: Any) -> None:
    """One arena for the process that grows by what is asked, not by doubling, up to a limit. A second call finds it
    there already, which the library calls an error."""
    memory = library.OrtMemoryInfo("Cpu", library.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, library.OrtMemType.DEFAULT)
    with contextlib.suppress(RuntimeError):
        grow_as_asked = 1
        arena = library.OrtArenaCfg(ARENA_LIMIT_BYTES, grow_as_asked, -1, -1)
        library.create_and_register_allocator(memory, arena)


def _output_name(names: list[str], model: ModelFile) -> str:
    wanted = model.output
    if wanted is None and len(names) == 1:
        return names[0]
    if wanted is not None and wanted in names:
        return wanted
    asked = f"output {wanted!r} is not among them" if wanted else "the entry must say which (output: NAME)"
    raise ModelError(f"{model.file}: outputs are {', '.join(names)}; {asked}")


def _first_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
