"""What `veil deploy` makes, on a real server."""

from __future__ import annotations


def test_x(deployed: list[str]) -> None:
    print(deployed)
    assert deployed
