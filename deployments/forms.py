"""A flow's parameters as Prefect's server checks them, and as its UI makes a form of them."""

from __future__ import annotations

from typing import Any, Literal

from prefect import Flow
from prefect.utilities.callables import ParameterSchema, parameter_schema

from tasks.presets import PRESETS


class Form(ParameterSchema):
    """As Prefect has it, but a misspelt name is refused before a run starts."""

    additionalProperties: Literal[False]  # noqa: N815  # JSON Schema's name


def form_of(flow: Flow[..., Any]) -> Form:
    """The form, with choices that both of Prefect's UIs show: one of them knows `anyOf` only.

    Of what can be chosen the `method` has to be given then, as it is what tells them apart.
    """
    schema = parameter_schema(flow).model_dump()
    chosen = set[str]()
    schema = _with_any_of(schema, chosen)
    for name in chosen:
        definition = schema["definitions"][name]
        definition["required"] = ["method", *definition.get("required", [])]
    if "Plan" in schema["definitions"]:
        _let_preset_decide(schema)
    return Form(**schema, additionalProperties=False)


def _let_preset_decide(schema: dict[str, Any]) -> None:
    """What a preset says is null unless somebody chooses it: a form always sends all that it shows, and what is sent wins over a preset."""
    names = {name for preset in PRESETS.values() for name in preset.get("find_faces", {})}
    plan = schema["definitions"]["Plan"]["properties"]["find_faces"]
    for default in (plan["default"], schema["properties"]["plan"]["default"]["find_faces"]):
        default.update(dict.fromkeys(names))
    for name in names:
        choice = schema["definitions"]["FindFaces"]["properties"][name]
        choice |= {"anyOf": [{"type": "null", "title": "As the preset says"}, *choice["anyOf"]], "default": None}


def _with_any_of(part: Any, chosen: set[str]) -> Any:
    """The part without `oneOf`; names in `chosen` what those could be."""
    if isinstance(part, list):
        return [_with_any_of(item, chosen) for item in part]
    if not isinstance(part, dict):
        return part
    kept = {name: _with_any_of(value, chosen) for name, value in part.items() if name not in ("oneOf", "discriminator")}
    if "oneOf" not in part:
        return kept
    chosen.update(choice["$ref"].rpartition("/")[2] for choice in part["oneOf"])
    return kept | {"anyOf": part["oneOf"]}
