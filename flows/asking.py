"""The policy `ask`: the run is suspended, holding nothing, until somebody has said of each person whether they are blurred.

The answer is what Prefect's form gives, or the API:

    POST /api/flow_runs/ID/resume   {"run_input": {"person_0": "keep", "person_1": "blur"}}

Whoever is not in it is decided as the form suggested: kept where a photo or a point says so for sure, and blurred else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.exceptions import PrefectHTTPStatusError
from prefect.flow_runs import suspend_flow_run
from prefect.input import RunInput
from pydantic import Field, create_model

from flows.audit import note_people
from flows.job import Job
from flows.lengths import length
from flows.look_through import LookedThrough, follow
from flows.page_texts import form_text, who
from flows.request import Request
from flows.run_names import FACES, faces_are_gone, tag_run
from flows.shown_faces import check_links, show_faces
from tasks.choose_people import choose_people
from tasks.choosing import Decision
from tasks.errors import BadSetting
from tasks.manifests import Photos, TrackSet
from tasks.plan import ChoosePeople, Plan
from tasks.selectors.reviewed import Answer, Reviewed

Then = Literal["blur", "keep"]
_SECONDS_A_DAY = 86_400


class WhoIsBlurred(RunInput):
    """The form: a field a person, `person_0`, `person_1`, …"""


def check_can_ask(plan: Plan) -> None:
    """Raises BadSetting where nobody could answer, before any work."""
    check_links(plan.in_prefect)
    context = FlowRunContext.get()
    if plan.choose_people.policy == "ask" and (context is None or context.flow_run is None or context.flow_run.deployment_id is None):
        problem = "waits for an answer in Prefect's UI, where only a deployment's run can wait"
        raise BadSetting("choose_people.policy ask", problem, fix="run a deployment, or give a report back with --decisions")


def answered(job: Job, request: Request, looked: LookedThrough, photos: Photos | None) -> Request:
    """The same request; under the policy `ask` with what somebody answered in its place, for which this run ends and starts again."""
    choose = request.plan.choose_people
    if choose.policy != "ask":
        return request
    tracks = follow(job, request.source.location, looked, looked.faces, request.plan)
    suggested = job.run(choose_people, 0, looked.video, tracks, photos, looked.segments, request.plan.find_faces.recogniser, choose)
    if not suggested.decisions:
        return request.with_plan(_with(request.plan, ChoosePeople(overrides=choose.overrides)))
    said = _ask(job, request, looked, tracks, suggested.decisions)
    decided = [
        each.model_copy(update={"decision": "kept" if then == "keep" else "blurred"})
        for each, then in zip(suggested.decisions, said, strict=True)
    ]
    note_people("answered", request.source_sha256, job.record.flow_run_id, "ask", decided)
    answers = tuple(
        Answer(person=each.person, then="keep" if then == "keep" else "cover", at=each.at)
        for each, then in zip(suggested.decisions, said, strict=True)
    )
    # Photos and points were for the suggestion only: whom the check of the result finds later was not asked about, and is blurred.
    chosen = ChoosePeople(policy="keep_only", selectors=(Reviewed(answers=answers),), overrides=choose.overrides)
    return request.with_plan(_with(request.plan, chosen))


def _with(plan: Plan, chosen: ChoosePeople) -> Plan:
    return plan.model_copy(update={"choose_people": chosen})


def _ask(job: Job, request: Request, looked: LookedThrough, tracks: TrackSet, decisions: Sequence[Decision]) -> list[Then]:
    """What is to happen to each. Ends the run where it was not asked yet: it then starts over once there is an answer."""
    context = FlowRunContext.get()
    assert context is not None
    assert context.flow_run is not None
    settings = request.plan.in_prefect
    # Another answer is asked for where the people are others than those who were shown.
    key = f"people-{tracks.tracks_ref.sha256[:16]}"
    form = form_of(decisions)
    if key not in (context.flow_run.empirical_policy.pause_keys or ()):
        faces = {} if settings.faces == "never" else show_faces(job, request.source, looked.video, tracks, decisions, settings)
        if faces and settings.faces != "links":
            tag_run(FACES)
        form = form.with_initial_data(description=form_text(request.source.location, decisions, faces))
    said = suspend_flow_run(wait_for_input=form, key=key, timeout=round(settings.patience_days * _SECONDS_A_DAY))
    if forget_form(context.flow_run.id, f"suspended-{key}-description"):
        faces_are_gone()
    return [getattr(said, f"person_{each.person}") for each in decisions]


def form_of(decisions: Sequence[Decision]) -> type[WhoIsBlurred]:
    """A field a person, in the order of `decisions`; its default is what is suggested."""
    fields: dict[str, Any] = {
        f"person_{each.person}": (
            Then,
            Field(_suggested(each), title=f"Person {who(each)}", description=f"seen for {length(each.seconds)}"),
        )
        for each in decisions
    }
    return create_model("WhoIsBlurred", __base__=WhoIsBlurred, **fields)


def _suggested(decision: Decision) -> Then:
    return "keep" if decision.decision == "kept" and not decision.unsure else "blur"


def forget_form(flow_run_id: UUID, key: str) -> bool:
    """Deletes the text of a form; whether there was one."""
    with get_client(sync_client=True) as client:
        try:
            client.delete_flow_run_input(flow_run_id, key)
        except PrefectHTTPStatusError as error:
            if error.response.status_code != 404:
                raise
            return False
    return True
