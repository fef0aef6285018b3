"""What the command shows while it works: a line a stage, with the time left."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from tasks.plain_text import visible

_SAYS = {
    "probe_video": "Reading the file",
    "read_photos": "Reading the photos",
    "find_shots": "Finding shots",
    "find_faces": "Finding faces",
    "read_sequences": "Reading the sequences",
    "follow_faces": "Following faces",
    "build_tracks": "Joining tracks",
    "edit_people": "Putting people right",
    "choose_people": "Choosing people",
    "cut_out_faces": "Cutting out faces",
    "write_matte": "Writing the matte",
    "blur_faces": "Blurring",
    "verify_blur": "Checking the result",
}


class Screen:
    """Shows progress on the terminal; a line at each stage's end where there is none."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._bars = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("frames"),
            TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(),
            console=self._console, transient=True,
        )  # fmt: skip
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Screen:
        if self._console.is_terminal:
            self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._console.is_terminal:
            self._bars.stop()

    def say(self, text: str) -> None:
        self._console.print(visible(text), markup=False, soft_wrap=True)

    def begin(self, stage: str, num_frames: int) -> None:
        self._tasks[stage] = self._bars.add_task(_SAYS.get(stage, stage), total=num_frames or None)

    def advance(self, stage: str, num_frames: int) -> None:
        if stage in self._tasks:
            self._bars.advance(self._tasks[stage], num_frames)

    def end(self, stage: str, cached: bool) -> None:
        bar = next(task for task in self._bars.tasks if task.id == self._tasks[stage])
        took = "known from before" if cached else f"{bar.elapsed or 0:.1f} s"
        self.say(f"{_SAYS.get(stage, stage):<20} {took}")
        self._bars.remove_task(self._tasks.pop(stage))
