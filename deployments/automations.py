"""What Prefect's server does by itself: it finds runs whose worker died, starts them again, and tells somebody of those that failed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState, SendNotification
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.exceptions import ObjectNotFound

from deployments.settings import DeploySettings
from tasks.errors import BadSetting

LOST, STILLBORN, AGAIN = "veil: lost runs", "veil: runs that did not begin", "veil: lost runs begin again"
FAILED, UNSERVED = "veil: failed runs", "veil: pools without a worker"
_BEGINS_WITHIN = timedelta(minutes=30)  # a machine may have to be started, and an image to be fetched
_ONCE = timedelta(seconds=1)  # without a time, the server may act twice on the same event
_EACH_RUN = {"prefect.resource.id"}
_SIGN_OF_LIFE = {"prefect.flow-run.*"}
_RUN = {"prefect.resource.id": "prefect.flow-run.*"}
_IN_THE_UI = "{{ flow_run|ui_url }}"


Related = dict[str, str | list[str]]
"""what else an event is about"""


async def make_automations(client: PrefectClient, settings: DeploySettings, names: list[str], pools: list[str]) -> None:
    """Makes them, or brings them up to date, for flows and deployments of these names.

    Whoever is notified already goes on to be, unless somebody else is named.
    """
    flows: Related = {"prefect.resource.role": "flow", "prefect.resource.name": names}
    deployments: Related = {"prefect.resource.role": "deployment", "prefect.resource.name": names}
    wanted = [
        _crashed(LOST, {"prefect.flow-run.heartbeat", "prefect.flow-run.Running"}, timedelta(seconds=settings.lost_after_seconds), flows),
        _crashed(STILLBORN, {"prefect.flow-run.Pending"}, _BEGINS_WITHIN, flows),
        _begun_again(deployments),
    ]
    if settings.notify:
        block = await _block(client, settings.notify)
        wanted += [_failures_told(block, deployments), _pools_told(block, pools)]
    for automation in wanted:
        there = await client.read_automations_by_name(automation.name)
        if there:
            await client.update_automation(there[0].id, automation)
        else:
            await client.create_automation(automation)


def _crashed(name: str, after: set[str], within: timedelta, flows: Related) -> AutomationCore:
    """After one of these, no word of the run for so long."""
    return AutomationCore(
        name=name,
        description="A run of which nothing more is heard is marked as crashed.",
        trigger=EventTrigger(
            after=after,
            expect=_SIGN_OF_LIFE,
            match=_RUN,
            match_related=flows,
            for_each=_EACH_RUN,
            posture=Posture.Proactive,
            threshold=1,
            within=within,
        ),
        actions=[ChangeFlowRunState(state=StateType.CRASHED, message="Nothing more was heard of it: its worker died.")],
    )


def _begun_again(deployments: Related) -> AutomationCore:
    """Only runs of deployments: there are workers for them. How often is limited by the flows themselves, see `flows.beginnings`."""
    return AutomationCore(
        name=AGAIN,
        description="A deployment's run that crashed is scheduled again; it goes on with the stage, or segment, at which it was.",
        trigger=_when({"prefect.flow-run.Crashed"}, _RUN, match_related=deployments, for_each=_EACH_RUN),
        actions=[ChangeFlowRunState(state=StateType.SCHEDULED, name="AwaitingRetry", message="Its worker died: it begins again.")],
    )


def _failures_told(block: UUID, deployments: Related) -> AutomationCore:
    return AutomationCore(
        name=FAILED,
        description="Somebody is told of runs that failed.",
        trigger=_when({"prefect.flow-run.Failed", "prefect.flow-run.TimedOut"}, _RUN, match_related=deployments, for_each=_EACH_RUN),
        actions=[
            SendNotification(
                block_document_id=block,
                subject="Veil: {{ flow_run.name }} failed",
                body="{{ flow.name }} of {{ flow_run.name }}: {{ flow_run.state.message }}\n" + _IN_THE_UI,
            )
        ],
    )


def _pools_told(block: UUID, pools: list[str]) -> AutomationCore:
    return AutomationCore(
        name=UNSERVED,
        description="Somebody is told of work pools that have no worker any more.",
        trigger=_when({"prefect.work-pool.not-ready"}, {"prefect.resource.id": "prefect.work-pool.*", "prefect.resource.name": pools}),
        actions=[
            SendNotification(
                block_document_id=block,
                subject="Veil: no worker for {{ work_pool.name }}",
                body="Runs wait until one is started: prefect worker start --pool {{ work_pool.name }}",
            )
        ],
    )


def _when(events: set[str], what: Mapping[str, str | list[str]], **more: Any) -> EventTrigger:
    """Each time that one of these events is about it."""
    return EventTrigger(expect=events, match=dict(what), posture=Posture.Reactive, threshold=1, within=_ONCE, **more)


async def _block(client: PrefectClient, name: str) -> UUID:
    kind, _, block = name.partition("/")
    try:
        return (await client.read_block_document_by_name(block, kind)).id
    except ObjectNotFound as error:
        raise BadSetting(f"notification block {name}", "is not on Prefect's server", fix="make it there, under Blocks") from error
