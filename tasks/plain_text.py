"""Texts as they are shown: names come from users' files, and may hold what a terminal obeys."""

from __future__ import annotations

import unicodedata

_HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")  # Unicode's categories of what is not seen, or moves what is


def is_plain(text: str) -> bool:
    """Whether a text is shown as it is written: without line breaks, and without marks that hide characters or turn them round."""
    return not any(unicodedata.category(character) in _HIDDEN for character in text)


def visible(text: str) -> str:
    r"""The text with what is not seen written out, in one line.

    >>> print(visible("a\x1b[31mb\nc"))
    a\x1b[31mb\nc
    """
    return "".join(repr(one)[1:-1] if unicodedata.category(one) in _HIDDEN else one for one in text)
