"""Files that somebody edited: who is who (people.toml), and what was decided in a review. Read into the plan when work begins."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tasks.choosing import Decision
from tasks.errors import BadPhoto, BadSetting
from tasks.hashing import file_sha256
from tasks.named_people import EditPeople
from tasks.photos import photo_files
from tasks.plan import Plan, Selector
from tasks.selectors.known_faces import KnownFaces
from tasks.selectors.reviewed import Answer, Reviewed
from tasks.text_files import read_json, read_toml

_THEN = {"blurred": "cover", "kept": "keep"}
_UNDECIDED = "partly blurred"


def with_files_read(plan: Plan, source_sha256: str) -> Plan:
    """The plan with what its files say in place of their paths, so that a result depends on the one and not on the other.

    Photos stay where they are: only whom each entry means is noted.

    Raises BadSetting for a file that cannot be read, says something unknown, or is about another video; BadPhoto for photos that are not
    there, or two people's of one name.
    """
    choose = plan.choose_people
    selectors = tuple(_read_in(each, source_sha256) for each in choose.selectors)
    _check_names([each for each in selectors if isinstance(each, KnownFaces)])
    sequences = plan.sequences and plan.sequences.model_copy(update={"sha256": _sha256(Path(plan.sequences.path))})
    edits = _edits(Path(plan.people), source_sha256) if plan.people else plan.edit_people
    chosen = choose.model_copy(update={"selectors": selectors})
    return plan.model_copy(update={"people": None, "edit_people": edits, "sequences": sequences, "choose_people": chosen})


def _read_in(selector: Selector, source_sha256: str) -> Selector:
    if isinstance(selector, KnownFaces):
        return selector.model_copy(update={"names": tuple(dict.fromkeys(name for name, _ in photo_files(selector.photos)))})
    if isinstance(selector, Reviewed) and selector.file:
        return selector.model_copy(update={"file": None, "answers": _answers(Path(selector.file), source_sha256)})
    return selector


def _check_names(selectors: Sequence[KnownFaces]) -> None:
    """Raises BadPhoto where other photos of the same name are in two entries: they would be taken for one person's."""
    known: dict[str, list[Path]] = {}
    for selector in selectors:
        of_entry: dict[str, list[Path]] = {}
        for name, path in photo_files(selector.photos):
            of_entry.setdefault(name, []).append(path.resolve())
        for name, paths in of_entry.items():
            if known.setdefault(name, paths) != paths:
                raise BadPhoto(paths[0], f"{name} is also the name of other photos, {known[name][0]} for one", fix="rename one of them")


def _edits(path: Path, source_sha256: str) -> EditPeople:
    said = _read(path)
    _check_video(path, said.pop("video", None), source_sha256)
    try:
        return EditPeople.model_validate(said)
    except ValidationError as error:
        raise _explained(path, error) from None


def _answers(path: Path, source_sha256: str) -> tuple[Answer, ...]:
    """Of a report only `video` and `people` are asked for; who was partly blurred stays undecided."""
    said = _read(path)
    _check_video(path, said.get("video", ""), source_sha256)
    people = said.get("people")
    if not isinstance(people, list) or not all(isinstance(each, dict) for each in people):
        raise BadSetting(path, "has no list of people", fix="give a report, or write [[people]] with person, decision and at")
    answers = []
    for each in people:
        if unknown := sorted(each.keys() - Decision.model_fields.keys()):
            raise BadSetting(path, f"{unknown[0]} is nothing that is said of a person", fix="write person, decision and at")
        if (decision := each.get("decision")) not in (*_THEN, _UNDECIDED):
            raise BadSetting(path, f"person {each.get('person')} is {decision!r}", fix=f"choose one of: {', '.join([*_THEN, _UNDECIDED])}")
        if decision == _UNDECIDED:
            continue
        try:
            answers.append(Answer.model_validate({"person": each.get("person"), "then": _THEN[decision], "at": each.get("at")}))
        except ValidationError as error:
            raise _explained(path, error) from None
    if not answers:
        raise BadSetting(path, "decides about nobody", fix="say of somebody that they are blurred or kept")
    return tuple(answers)


def _sha256(path: Path) -> str:
    try:
        return file_sha256(path)
    except OSError as error:
        raise BadSetting(path, f"cannot be read ({error.strerror})", fix="give a JSON file of sequences") from error


def _read(path: Path) -> dict[str, Any]:
    """What a TOML or JSON file says. Raises BadSetting."""
    said = read_json(path) if path.suffix.lower() == ".json" else read_toml(path)
    if not isinstance(said, dict):
        raise BadSetting(path, "is a list or a value", fix="give a file with names and values")
    return said


def _check_video(path: Path, video: object, source_sha256: str) -> None:
    """A file that names no video is only let through where the names in it say enough."""
    if video == "":
        raise BadSetting(path, "does not say which video it is about", fix='write video = "SHA-256 of the video", as a report does')
    if video not in (None, source_sha256):
        raise BadSetting(path, f"is about another video (SHA-256 {str(video)[:12]}...)", fix="give the file that was made of this one")


def _explained(path: Path, error: ValidationError) -> BadSetting:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    return BadSetting(path, f"{place}{': ' if place else ''}{message[0].lower()}{message[1:]}", fix="mend that place")
