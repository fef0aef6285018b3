"""The file of a number."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain, repeat
from random import Random

from tests.fuzz import plain, streams, texts, trees
from tests.fuzz.seeds import Seed

SHARES = {"mp4": 5, "matroska": 4, "ts": 3, "avi": 2, "streams": 3} | dict.fromkeys(("png", "jpeg", "tiff", "webp"), 2)
SHARES |= dict.fromkeys(("bmp", "people", "plan"), 1)
"""How many of so many files are of a kind."""

_ORDER = [kind for kind, _ in sorted(chain(*(zip(repeat(kind), range(share)) for kind, share in SHARES.items())), key=lambda one: one[1])]
_PLAIN_SHARE = 0.2


def kind_of(number: int) -> str:
    return _ORDER[number % len(_ORDER)]


def _tree(grammar: trees.Grammar) -> Callable[[Random, bytes], bytes]:
    return lambda random, content: trees.changed(random, content, grammar)


_WAYS: dict[str, Callable[[Random, bytes], bytes]] = {
    "mp4": _tree(trees.Boxes()),
    "matroska": _tree(trees.Elements()),
    "ts": streams.transport,
    "avi": _tree(trees.Chunks()),
    "streams": plain.anyhow,
    "png": _tree(trees.PngChunks()),
    "jpeg": streams.jpeg,
    "tiff": streams.tiff,
    "webp": _tree(trees.Chunks()),
    "bmp": streams.bmp,
    "people": texts.toml,
    "plan": texts.toml,
}


def hostile(number: int, kind: str, seeds: Mapping[str, Sequence[Seed]]) -> Seed:
    """The file of a number, always the same; those of negative numbers are sound."""
    if number < 0:
        return seeds[kind][-1 - number]
    random = Random(f"{kind} {number}")
    suffix, content = random.choice(seeds[kind])
    change = _WAYS[kind]
    if random.random() < _PLAIN_SHARE and kind in ("mp4", "matroska", "ts", "avi"):
        change = plain.anyhow
    content = change(random, content)
    return Seed(suffix, plain.anyhow(random, content) if random.random() < _PLAIN_SHARE / 4 else content)
