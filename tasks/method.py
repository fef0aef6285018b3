"""The base of everything that can be chosen: a frozen settings model a method, told apart by its `method` field."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

FOR_A_KEY = {"for a key": True}
"""Context in which settings are written down without what only says where something is."""


class Settings(BaseModel):
    """Frozen settings; an unknown name is an error, never ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


class Method(Settings):
    """Settings of one way of doing a stage. A subclass narrows `method` to a `Literal` with its own name as default."""

    method: str
