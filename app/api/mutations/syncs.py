"""Mutations on syncs and sync runs."""

from typing import Annotated, Any

import strawberry

from app.api.context import Info
from app.api.ids import ConnectionId, IdempotencyKey, record_uuid, uuid_of
from app.api.refusals import GENERAL, Refusal, answers, common
from app.api.types.sync_runs import SyncRun
from app.api.types.syncs import Sync, SyncDirection, SyncMode
from app.idempotency import once
from app.syncs.models import ONE_OBJECT, ONE_RECORD
from app.syncs.schedules import JITTER_SECONDS
from app.syncs.service import ConnectionNotUsable, SyncInProgress

Streams = Annotated[list[str], strawberry.argument(description="The streams to sync, as `connectors` names them.")]
SomeStreams = Annotated[list[str] | None, strawberry.argument(description="The streams to sync; left out: all of them.")]
Mode = Annotated[SyncMode, strawberry.argument(description="How much to read.")]
OfContact = Annotated[str | None, strawberry.argument(description="Only what belongs to the contact with this id at the provider.")]
OneObject = Annotated[
    str | None,
    strawberry.argument(description="Only the object with this id at the provider; with one stream and the direction PULL."),
]
OneRecord = Annotated[
    strawberry.ID | None,
    strawberry.argument(description="Only this record, which is made there if need be; with one stream and the direction PUSH."),
]
Schedule = Annotated[str | None, strawberry.argument(description="Five cron fields, like `0 2 * * *`; null or left out: on demand.")]
TimeZone = Annotated[str | None, strawberry.argument(description="The time zone of the schedule, like `Europe/Ljubljana`.")]
JITTER = "Start up to so many seconds after each time, 0 to 3600, so that not all syncs begin at once"
Jitter = Annotated[int | None, strawberry.argument(description=f"{JITTER}.")]

Direction = Annotated[SyncDirection, strawberry.argument(description="Which way: what is pushed has to be writable at the provider.")]

CreatesMissing = Annotated[
    bool, strawberry.argument(description="Whether it also makes what the provider does not have yet, whatever the policies say.")
]


@strawberry.type(name="SyncInProgress", description="Something is being synced on this connection already.")
class SyncInProgressRefusal(Refusal):
    refuses = (SyncInProgress,)
    existing: strawberry.Private[SyncInProgress]

    @strawberry.field(description="The run that is going on: watch it or cancel it.")
    async def existing_run(self, info: Info) -> SyncRun | None:
        return await info.context.loaders.sync_run.load(self.existing.existing_run_id)

    @classmethod
    def of(cls, error: SyncInProgress) -> "SyncInProgressRefusal":
        return cls(**common(error), existing=error)


@strawberry.type(name="ConnectionNotUsable", description="The connection has to be tested, corrected or enabled first.")
class ConnectionNotUsableRefusal(Refusal):
    refuses = (ConnectionNotUsable,)


@strawberry.type(description="The run waits for a worker.")
class StartSyncSuccess:
    run: SyncRun = strawberry.field(description="The new run; with a repeated key the one that it started.")


@strawberry.type(description="The run was asked to end, or had ended already.")
class CancelSyncRunSuccess:
    run: SyncRun = strawberry.field(description="The run as it is now.")


@strawberry.type(description="The sync was made.")
class CreateSyncSuccess:
    sync: Sync = strawberry.field(description="The new sync.")


@strawberry.type(description="The sync was changed.")
class UpdateSyncSuccess:
    sync: Sync = strawberry.field(description="The sync as it is now.")


@strawberry.type(description="The sync is gone; its runs stay.")
class DeleteSyncSuccess:
    deleted_id: strawberry.ID = strawberry.field(description="The id that the sync had.")


StartSyncResult = Annotated[
    StartSyncSuccess | SyncInProgressRefusal | ConnectionNotUsableRefusal | GENERAL,
    strawberry.union("StartSyncResult", description="A new run, or why there is none."),
]
CancelSyncRunResult = Annotated[
    CancelSyncRunSuccess | GENERAL,
    strawberry.union("CancelSyncRunResult", description="The run, or why it was not cancelled."),
]
CreateSyncResult = Annotated[
    CreateSyncSuccess | GENERAL, strawberry.union("CreateSyncResult", description="The new sync, or why there is none.")
]
UpdateSyncResult = Annotated[
    UpdateSyncSuccess | GENERAL, strawberry.union("UpdateSyncResult", description="The sync, or why it was not changed.")
]
DeleteSyncResult = Annotated[
    DeleteSyncSuccess | GENERAL, strawberry.union("DeleteSyncResult", description="That it is gone, or why it is not.")
]


def narrowing(contact_external_id: str | None, external_id: str | None, record_id: strawberry.ID | None) -> dict[str, str]:
    """What a run is limited to. Raises InvalidInput for what is not a record's id."""
    given = {"contact_external_id": contact_external_id, ONE_OBJECT: external_id}
    record = {} if record_id is None else {ONE_RECORD: str(record_uuid(record_id))}
    return {name: value for name, value in given.items() if value is not None} | record


@strawberry.type
class SyncMutations:
    @strawberry.mutation(description="Start a sync run. It answers at once; watch the run with `syncRunProgress`.")
    @answers
    async def start_sync(
        self,
        info: Info,
        connection_id: ConnectionId,
        idempotency_key: IdempotencyKey,
        streams: SomeStreams = None,
        mode: Mode = SyncMode.INCREMENTAL,
        direction: Direction = SyncDirection.PULL,
        contact_external_id: OfContact = None,
        external_id: OneObject = None,
        record_id: OneRecord = None,
        creates_missing: CreatesMissing = False,
    ) -> StartSyncResult:
        run = await info.context.hub.syncs.start(
            info.context.actor,
            uuid_of(connection_id, "Connection", field="connectionId"),
            streams=streams,
            mode=mode.value,
            direction=direction.value,
            narrowed_to=narrowing(contact_external_id, external_id, record_id),
            idempotency_key=idempotency_key,
            creates_missing=creates_missing,
        )
        return StartSyncSuccess(run=SyncRun.of(run))

    @strawberry.mutation(description="Ask a run to end. It acts within two seconds and keeps what it has committed.")
    @answers
    async def cancel_sync_run(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The run's id.")],
        idempotency_key: IdempotencyKey,
    ) -> CancelSyncRunResult:
        actor, run_id = info.context.actor, uuid_of(id, "SyncRun")
        async with once(actor, "cancel_sync_run", idempotency_key, [run_id]) as call:
            if not call.repeated:
                await info.context.hub.syncs.cancel(actor, run_id)
                call.result = {}
        return CancelSyncRunSuccess(run=SyncRun.of(await info.context.hub.syncs.run(actor, run_id)))

    @strawberry.mutation(description="Make a standing sync. Without a schedule it is started on demand.")
    @answers
    async def create_sync(
        self,
        info: Info,
        connection_id: ConnectionId,
        name: Annotated[str, strawberry.argument(description="What people will call it.")],
        streams: Streams,
        idempotency_key: IdempotencyKey,
        mode: Mode = SyncMode.INCREMENTAL,
        direction: Direction = SyncDirection.PULL,
        schedule: Schedule = None,
        time_zone: TimeZone = None,
        jitter_seconds: Annotated[int, strawberry.argument(description=f"{JITTER}.")] = JITTER_SECONDS,
    ) -> CreateSyncResult:
        hub, actor = info.context.hub, info.context.actor
        connection = uuid_of(connection_id, "Connection", field="connectionId")
        request = [connection, name, streams, mode.value, direction.value, schedule, time_zone, jitter_seconds]
        async with once(actor, "create_sync", idempotency_key, request) as call:
            if call.repeated:
                return CreateSyncSuccess(sync=Sync.of(await hub.schedules.get(actor, call.id())))
            sync = await hub.schedules.create(
                actor,
                connection,
                name=name,
                streams=streams,
                mode=mode.value,
                direction=direction.value,
                schedule=schedule,
                time_zone=time_zone or "UTC",
                jitter_seconds=jitter_seconds,
            )
            call.result = {"id": str(sync.id)}
        return CreateSyncSuccess(sync=Sync.of(sync))

    @strawberry.mutation(description="Change a standing sync: what is given changes, what is left out stays.")
    @answers
    async def update_sync(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The sync's id.")],
        idempotency_key: IdempotencyKey,
        name: Annotated[str | None, strawberry.argument(description="What people call it.")] = None,
        streams: Annotated[list[str] | None, strawberry.argument(description="The streams to sync.")] = None,
        mode: Annotated[SyncMode | None, strawberry.argument(description="How much to read.")] = None,
        direction: Annotated[SyncDirection | None, strawberry.argument(description="Which way.")] = None,
        schedule: Annotated[str | None, strawberry.argument(description="Five cron fields, like `0 2 * * *`.")] = None,
        on_demand: Annotated[bool, strawberry.argument(description="Take the schedule away.")] = False,
        time_zone: TimeZone = None,
        jitter_seconds: Jitter = None,
        enabled: Annotated[bool | None, strawberry.argument(description="Whether its schedule is followed.")] = None,
    ) -> UpdateSyncResult:
        hub, actor, sync_id = info.context.hub, info.context.actor, uuid_of(id, "Sync")
        values: dict[str, Any] = {"name": name, "streams": streams, "mode": mode.value if mode else None, "schedule": schedule}
        values |= {"direction": direction.value if direction else None, "on_demand": on_demand, "time_zone": time_zone, "enabled": enabled}
        values |= {"jitter_seconds": jitter_seconds}
        async with once(actor, "update_sync", idempotency_key, [sync_id, values]) as call:
            if not call.repeated:
                await hub.schedules.update(actor, sync_id, **values)
                call.result = {}
        return UpdateSyncSuccess(sync=Sync.of(await hub.schedules.get(actor, sync_id)))

    @strawberry.mutation(description="Delete a standing sync. Its runs stay.")
    @answers
    async def delete_sync(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The sync's id.")],
        idempotency_key: IdempotencyKey,
    ) -> DeleteSyncResult:
        actor, sync_id = info.context.actor, uuid_of(id, "Sync")
        async with once(actor, "delete_sync", idempotency_key, [sync_id]) as call:
            if not call.repeated:
                await info.context.hub.schedules.delete(actor, sync_id)
                call.result = {}
        return DeleteSyncSuccess(deleted_id=id)
