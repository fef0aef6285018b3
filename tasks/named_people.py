"""People as they are put right by hand: names, merges and splits, all told by points at which somebody is seen."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from tasks.method import Settings
from tasks.moments import Moment
from tasks.plain_text import is_plain
from tasks.selectors.time_and_place import Pick

_MOST_SAID = 20


def _plain(name: str) -> str:
    if not is_plain(name):
        raise ValueError("a name has no invisible characters")
    return name


Name = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_plain)]


class NamedPerson(Settings):
    """A name for whoever is seen at a point, and for all tracks that are grouped with them."""

    name: Name
    at: Pick


class Split(Settings):
    """A track, or a stretch of it, that shows somebody else than the rest of its person."""

    name: Name = Field(description="of that other person; one that is known already joins them")
    at: Pick
    of: Literal["track", "person"] = Field("track", description="only the track that is seen there, or all of its person's")
    start: Moment | None = Field(None, description="from the first frame from this time (62.5, 1:02.5) on, or from this one (1500f)")
    end: Moment | None = Field(None, description="up to the first frame from this time on, or this one; without it")


class EditPeople(Settings):
    """What is put right: splits first, in their order, then merges."""

    merge: tuple[tuple[str, ...], ...] = Field((), description="groups of names that are one person, who has the first of them")
    people: tuple[NamedPerson, ...] = ()
    splits: tuple[Split, ...] = ()

    @model_validator(mode="after")
    def _names_are_known(self) -> EditPeople:
        twice = [name for name, times in Counter(person.name for person in self.people).items() if times > 1]
        if twice:
            raise ValueError(f"two people are called {twice[0]}: give them names of their own, and merge those if they are one")
        known = dict.fromkeys([*(each.name for each in self.people), *(each.name for each in self.splits)])
        for group in self.merge:
            if len(group) < 2:
                raise ValueError(f"a merge needs two names or more, and {list(group)} is not that")
            for name in group:
                if name not in known:
                    raise ValueError(f"nobody is called {name}: known are {', '.join([*known][:_MOST_SAID]) or 'none'}")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        return (*(person.name for person in self.people), *(split.name for split in self.splits))

    @property
    def is_nothing(self) -> bool:
        return not (self.people or self.splits)
