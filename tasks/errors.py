"""What can go wrong, and the way out. Each error names its subject and what to do, on one line.

VeilError
├── InputError            the user can mend it; the command's exit status is 2
│   ├── BadVideo          not there, not a video, broken, or empty
│   ├── BadPhoto          no face, several faces, not a picture
│   ├── BadSetting        unknown name, value out of range, unknown method
│   ├── BadPick           a time or a point that meets no face
│   ├── BadOutput         cannot be written there, exists, or is the input
│   └── NoSpace           the disk is full
├── MissingWeights        a model's file is not there
├── BadWeights            a model's file is not what the manifest says
├── DeviceError           the processor that models were to run on is not there, or failed
└── StoreError            the results store cannot be written, read, or holds something else
"""

from __future__ import annotations


class VeilError(Exception):
    """Base of all errors that Veil explains: `subject` is what failed, `fix` is what to do about it.

    `may_pass` says that the same may go well a little later, as with a network; only such failures are tried again.
    """

    def __init__(self, subject: object, problem: str, *, fix: str, may_pass: bool = False) -> None:
        self.subject = str(subject)
        self.problem = problem
        self.fix = fix
        self.may_pass = may_pass
        super().__init__(f"{self.subject}: {problem}; {fix}")

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.subject, self.problem, self.fix, self.may_pass))


def _rebuild(kind: type[VeilError], subject: str, problem: str, fix: str, may_pass: bool) -> VeilError:
    return kind(subject, problem, fix=fix, may_pass=may_pass)


class InputError(VeilError):
    """What was asked for cannot be done as asked."""


class BadVideo(InputError):
    """The source is not a video that can be read to its end."""


class BadPhoto(InputError):
    """A reference photo does not show exactly one usable face."""


class BadSetting(InputError):
    """A plan, a `--set` or an option is not valid."""


class BadPick(InputError):
    """A picked time and place meets no face."""


class BadOutput(InputError):
    """The result cannot be written where it was asked for."""


class MissingWeights(VeilError):
    """A model's weights are not on this machine."""


class BadWeights(VeilError):
    """A model's file does not have the hash that the manifest gives."""


class DeviceError(VeilError):
    """What a model was to run on is not there, or failed."""


class StoreError(VeilError):
    """The results store is not usable, or an object in it is not what its name says."""


class NoSpace(InputError):
    """Nothing more can be written."""
