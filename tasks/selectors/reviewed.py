"""What a person decided who looked at a report."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from tasks.method import Settings
from tasks.selectors.time_and_place import Pick, TimeAndPlace, is_in
from tasks.selectors.verdicts import Entry, Evidence, Then, Verdict


class Answer(Settings):
    """What is to happen to a person, who is told by where they are seen: numbers change where faces are followed otherwise."""

    person: int = Field(ge=0, description="the number that they had in the report")
    then: Then
    at: tuple[Pick, ...] = Field(min_length=1, description="a point on each of their tracks")


class Reviewed(Entry):
    """A reviewer's answers, from a report whose decisions were looked through.

    A covered person is covered wherever they appear. One who is kept is kept where they were looked at: a track that joined
    them since is in doubt.
    """

    method: Literal["reviewed"] = "reviewed"
    then: None = Field(None, description="each answer says it")
    file: str | None = Field(None, description="a report (JSON), or its `video` and `people` as TOML; read when work begins")
    answers: tuple[Answer, ...] = Field((), description="the same, written here")

    @model_validator(mode="after")
    def _one_source(self) -> Reviewed:
        if (self.file is None) == (not self.answers):
            raise ValueError("give either a file or answers")
        return self

    def pick(self, evidence: Evidence) -> list[Verdict]:
        """A verdict a track. Raises BadPick for an answer about a face that is not there, saying which are near."""
        verdicts = [Verdict("no match", None, None, "was not decided in the review")] * len(evidence.tracks)
        for answer in sorted(self.answers, key=lambda answer: answer.then == "cover"):  # so that of two about one face, covering wins
            # Points beyond the end are of the whole video, where only a part of it is worked on.
            points = tuple(pick for pick in answer.at if is_in(pick, evidence.info, evidence.index, evidence.part))
            numbers = TimeAndPlace(picks=points).meets(evidence) if points else []
            persons = {evidence.tracks[number].person for number in numbers}
            for number, track in enumerate(evidence.tracks):
                if number in numbers or (track.person in persons and answer.then == "cover"):
                    verdicts[number] = Verdict("match", None, None, f"was reviewed (as person {answer.person})", then=answer.then)
                elif track.person in persons and verdicts[number].answer == "no match":
                    reason = f"may be person {answer.person} of the review, but was not there when it was made"
                    verdicts[number] = Verdict("unsure", None, None, reason, then="keep")
        return verdicts
