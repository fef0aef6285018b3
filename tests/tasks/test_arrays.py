"""Arrays as bytes."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest

from tasks import arrays


@pytest.mark.parametrize(
    "array",
    [
        np.arange(5),
        np.zeros((0, 4), np.float32),  # nothing was found: the shape stays
        np.array([np.nan, np.inf, -0.0], np.float32),
        np.array([True, False]),
        np.arange(12, dtype=np.int64).reshape(3, 4).T,  # not contiguous
    ],
)
def test_arrays_come_back_as_they_were(array) -> None:
    back = arrays.unpack(arrays.pack({"one": array}))["one"]
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert np.array_equal(back, array, equal_nan=array.dtype.kind == "f")


@pytest.mark.parametrize("name", ["anna", "Åse Ødegård", "anna.2", "anna.npy", "a b", "陈"])  # people are named after their photos' files
def test_names_come_back_as_they_were(name) -> None:
    assert list(arrays.unpack(arrays.pack({name: np.arange(3), "other": np.arange(2)}))) == [name, "other"]


def test_a_name_that_ends_like_an_entry_is_not_another_ones() -> None:
    """`bob.png` beside `bob.npy.png`."""
    back = arrays.unpack(arrays.pack({"bob": np.array([1]), "bob.npy": np.array([2])}))
    assert {name: int(array[0]) for name, array in back.items()} == {"bob": 1, "bob.npy": 2}


def test_bytes_do_not_depend_on_the_clock(monkeypatch) -> None:
    before = arrays.pack({"one": np.arange(1000)})
    monkeypatch.setattr(time, "time", lambda: 2e9)
    assert arrays.pack({"one": np.arange(1000)}) == before


def test_objects_are_never_written() -> None:
    with pytest.raises(ValueError, match=r"(?i)object"):
        arrays.pack({"one": np.array([object()])})


def test_pickles_are_never_read() -> None:
    buffer = io.BytesIO()
    np.savez(buffer, one=np.array([{"runs": "code"}], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle"):
        arrays.unpack(buffer.getvalue())
