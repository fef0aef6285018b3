"""What Prefect's UI shows of a run that a server somebody has chosen keeps: how far it is, its people, what it took.

On the server that a command brings for itself nobody looks: nothing is published there.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from httpx import HTTPError
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import ArtifactCreate, ArtifactUpdate
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId, ArtifactFilterKey
from prefect.exceptions import Pause, PrefectException
from prefect.logging import get_logger

from flows.job import Job
from flows.lengths import length
from flows.pace import Pace
from flows.page_texts import people_text, summary_text
from flows.report import BlurReport
from flows.request import Request
from flows.run_names import FACES, faces_are_gone, tag_run
from flows.shown_faces import show_faces
from tasks import progress
from tasks.choosing import Decision
from tasks.manifests import TrackSet, Video
from tasks.stores.settings import OWN_SERVER

_SECONDS_BETWEEN = 5.0  # two updates of how far the run is


class Pages:
    """A flow run's artifacts. What cannot be published is logged, and stops nothing."""

    def __init__(self, request: Request, client: SyncPrefectClient | None, flow_run_id: str) -> None:
        self._request = request
        self._client = client
        self._flow_run = UUID(flow_run_id)
        self._people: UUID | None = None
        self._with_faces: Sequence[Decision] = ()
        """whom the table shows with faces that are in it"""

    def show_people(self, job: Job, video: Video, tracks: TrackSet, decisions: Sequence[Decision]) -> None:
        """The table of people, in place of an earlier one."""
        faces: dict[int, str] = {}
        settings = self._request.plan.in_prefect
        if self._client is not None and settings.faces in ("until_done", "links"):
            faces = show_faces(job, self._request.source, video, tracks, decisions, settings)
        if faces and settings.faces == "until_done":
            tag_run(FACES)
            self._with_faces = decisions
        self._replace_people(people_text(decisions, faces))

    def show_result(self, report: BlurReport) -> None:
        """The summary."""
        self.publish("summary", "markdown", summary_text(self._request.source.location, self._request.target.location, report))

    def hide_faces(self) -> None:
        """Takes those out that are in the table of people."""
        if self._with_faces:
            self._replace_people(people_text(self._with_faces))
            self._with_faces = ()
            faces_are_gone()

    def _replace_people(self, text: str) -> None:
        if self._client is not None and self._people is not None:
            with _logged():
                self._client.delete_artifact(self._people)
        self._people = self.publish("people", "markdown", text)

    def published(self, name: str) -> UUID | None:
        """The artifact of that name that this flow run has."""
        if self._client is None:
            return None
        key = ArtifactFilterKey(any_=[self._key(name)])
        of_run = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[self._flow_run]), key=key)
        with _logged():
            return next((each.id for each in self._client.read_artifacts(artifact_filter=of_run)), None)
        return None

    def publish(self, name: str, kind: str, data: Any, description: str | None = None) -> UUID | None:
        """Makes an artifact; None where that is not to be, or did not go well."""
        if self._client is None:
            return None
        made = ArtifactCreate(key=self._key(name), type=kind, data=data, description=description, flow_run_id=self._flow_run)
        with _logged():
            return self._client.create_artifact(made).id
        return None

    def _key(self, name: str) -> str:
        return f"{name}-{self._request.source_sha256[:12]}"


def show_known(request: Request, report: BlurReport) -> None:
    """The summary of a job that was done before."""
    from prefect.runtime import flow_run

    if OWN_SERVER not in os.environ:
        with get_client(sync_client=True) as client:
            Pages(request, client, str(flow_run.id)).show_result(report)


class _Meter(Pace):
    """Says every few seconds how far a run is, from a thread of its own: stages do not wait for it."""

    def __init__(self, pages: Pages, client: SyncPrefectClient) -> None:
        super().__init__()
        self._pages = pages
        self._client = client
        self._artifact: UUID | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._tick, daemon=True)
        self._thread.start()

    def stop(self, words: str, whole: bool) -> None:
        """Says how it ended, where anything was said before."""
        self._over.set()
        self._thread.join()
        self._artifact = self._said()
        if self._artifact is not None:
            self._say(100.0 if whole else 100 * self.done, words)

    def _tick(self) -> None:
        while not self._over.wait(_SECONDS_BETWEEN):
            left = self.seconds_left
            self._say(100 * self.done, f"{self.stage}{'' if left is None else f': about {length(left)} left'}")

    def _say(self, percent: float, words: str) -> None:
        self._artifact = self._said()
        if self._artifact is not None:
            with _logged():
                self._client.update_artifact(self._artifact, ArtifactUpdate(data=round(percent, 1), description=words))
        else:
            self._artifact = self._pages.publish("progress", "progress", round(percent, 1), words)

    def _said(self) -> UUID | None:
        """What this run, or the same one before it was suspended or tried again, has said."""
        return self._artifact or self._pages.published("progress")


@contextmanager
def _logged() -> Iterator[None]:
    """What goes wrong inside is logged, and the work goes on."""
    try:
        yield
    except (HTTPError, PrefectException) as error:
        get_logger("veil").warning("a page was not published: %s", error)


@contextmanager
def shown(job: Job, request: Request) -> Iterator[Pages]:
    """The pages of this flow run, with how far it is. Faces that are only to be seen while it goes on are gone at its end."""
    if OWN_SERVER in os.environ:
        yield Pages(request, None, job.record.flow_run_id)
        return
    with get_client(sync_client=True) as client:
        pages = Pages(request, client, job.record.flow_run_id)
        meter = _Meter(pages, client)
        ended, whole = "stopped", False
        try:
            with progress.listening(meter):
                yield pages
            ended, whole = "done", True
        except Pause:
            ended = "waits for an answer"
            raise
        finally:
            meter.stop(ended, whole)
            pages.hide_faces()
