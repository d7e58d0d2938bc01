"""Every address of the portal (clients) and the console (staff). `app/main.py` mounts this list."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from app.errors import NotFound
from portal import assets, sign_in
from portal.branding import stylesheet
from portal.client import decisions, quotes
from portal.console import (
    audit,
    clients,
    conflict_rules,
    conflicts,
    connection_forms,
    connections,
    contact_creation,
    documents,
    duplicates,
    failed_records,
    failed_retries,
    field_mappings,
    field_versions,
    held_deletions,
    home,
    imports,
    mail,
    merges,
    orphans,
    plans,
    reconciliation,
    record_edits,
    record_pushes,
    records,
    statistics,
    stream_rules,
    sync_runs,
    syncs,
    tokens,
)
from portal.console import missing as missing_records
from portal.console import quotes as staff_quotes
from portal.doors import View, client_page, open_page, staff_page
from portal.session import Door


async def branding(request: Request) -> Response:
    """An organization's colours; the address holds all there is to know."""
    color = request.path_params["color"]
    if len(color) != 6 or not all(digit in "0123456789abcdef" for digit in color):
        return PlainTextResponse("No such colour.", status_code=404)
    return Response(
        stylesheet(f"#{color}"), media_type="text/css", headers={"Cache-Control": assets.FOREVER, "X-Content-Type-Options": "nosniff"}
    )


async def to_quotes(request: Request) -> Response:
    return RedirectResponse(f"/portal/{request.path_params['slug']}/quotes", status_code=303)


async def to_overview(request: Request) -> Response:
    return RedirectResponse(f"/console/{request.path_params['slug']}/", status_code=303)


def _client(path: str, view: View, *methods: str) -> Route:
    return Route(f"/{{slug}}{path}", client_page(view), methods=list(methods or ("GET",)))


def _staff(path: str, view: View, *methods: str) -> Route:
    return Route(f"/{{slug}}{path}", staff_page(view), methods=list(methods or ("GET",)))


def _open(path: str, view: View, door: Door, *methods: str) -> Route:
    return Route(f"/{{slug}}{path}", open_page(view, door), methods=list(methods or ("GET",)))


async def missing(request: Request) -> Response:
    """An address inside a door that nobody knows."""
    raise NotFound("There is no such page. The link may be old or not complete.")


client_routes: list[BaseRoute] = [
    _open("/sign-in", sign_in.ask, "portal"),
    _open("/sign-in", sign_in.send_link, "portal", "POST"),
    _open("/sign-in/{token}", sign_in.look, "portal"),
    _open("/sign-in/{token}", sign_in.use, "portal", "POST"),
    _client("/sign-out", sign_in.sign_out, "POST"),
    Route("/{slug}", to_quotes),
    Route("/{slug}/", to_quotes),
    _client("/quotes", quotes.index),
    _client("/quotes/{quote_id:uuid}", quotes.show),
    _client("/quotes/{quote_id:uuid}/sum", quotes.sum_of_choices),
    _client("/quotes/{quote_id:uuid}/events", quotes.events),
    _client("/quotes/{quote_id:uuid}/receipt", quotes.receipt),
    _client("/quotes/{quote_id:uuid}/review", decisions.review),
    _client("/quotes/{quote_id:uuid}/approval", decisions.approve, "POST"),
    _client("/quotes/{quote_id:uuid}/decline", decisions.decline),
    _client("/quotes/{quote_id:uuid}/rejection", decisions.reject, "POST"),
    _open("/{rest:path}", missing, "portal"),
]

staff_routes: list[BaseRoute] = [
    _open("/sign-in", sign_in.ask, "console"),
    _open("/sign-in", sign_in.send_link, "console", "POST"),
    _open("/sign-in/{token}", sign_in.look, "console"),
    _open("/sign-in/{token}", sign_in.use, "console", "POST"),
    _staff("/sign-out", sign_in.sign_out, "POST"),
    Route("/{slug}", to_overview),
    _staff("/", home.show),
    _staff("/events", home.events),
    _staff("/connections", connections.index),
    _staff("/connections/new", connection_forms.choose),
    _staff("/connections/new/{provider}", connection_forms.new),
    _staff("/connections/new/{provider}", connection_forms.create, "POST"),
    _staff("/connections/new/{provider}/test", connection_forms.test_new, "POST"),
    _staff("/connections/{connection_id:uuid}", connections.show),
    _staff("/connections/{connection_id:uuid}/test", connections.test, "POST"),
    _staff("/connections/{connection_id:uuid}/settings", connection_forms.edit),
    _staff("/connections/{connection_id:uuid}/settings", connection_forms.update, "POST"),
    _staff("/connections/{connection_id:uuid}/settings/test", connection_forms.test_changed, "POST"),
    _staff("/connections/{connection_id:uuid}/removal", connections.ask_removal),
    _staff("/connections/{connection_id:uuid}/removal", connections.remove, "POST"),
    _staff("/connections/{connection_id:uuid}/restoration", connections.restore, "POST"),
    _staff("/connections/{connection_id:uuid}/streams/{stream}/rules", stream_rules.edit),
    _staff("/connections/{connection_id:uuid}/streams/{stream}/rules", stream_rules.update, "POST"),
    _staff("/connections/{connection_id:uuid}/missing", missing_records.show),
    _staff("/connections/{connection_id:uuid}/missing/pushes", missing_records.push, "POST"),
    _staff("/connections/{connection_id:uuid}/missing/imports", missing_records.take_over, "POST"),
    _staff("/connections/{connection_id:uuid}/missing/all", missing_records.ask_all),
    _staff("/connections/{connection_id:uuid}/missing/all", missing_records.start_all, "POST"),
    _staff("/orphans", orphans.index),
    _staff("/orphans/cleaning", orphans.ask_cleaning),
    _staff("/orphans/cleaning", orphans.clean, "POST"),
    _staff("/orphans/restoration", orphans.restore, "POST"),
    _staff("/connections/{connection_id:uuid}/streams/{stream}/fields", field_mappings.edit),
    _staff("/connections/{connection_id:uuid}/streams/{stream}/fields", field_mappings.work, "POST"),
    _staff("/connections/{connection_id:uuid}/streams/{stream}/fields/runs", field_versions.remap, "POST"),
    _staff("/connections/{connection_id:uuid}/streams/{stream}/fields/versions/{version:int}", field_versions.show),
    _staff("/connections/{connection_id:uuid}/streams/{stream}/fields/versions/{version:int}/publication", field_versions.ask),
    _staff("/connections/{connection_id:uuid}/streams/{stream}/fields/versions/{version:int}/publication", field_versions.publish, "POST"),
    _staff("/connections/{connection_id:uuid}/import", imports.choose),
    _staff("/connections/{connection_id:uuid}/full-sync", imports.ask_full),
    _staff("/connections/{connection_id:uuid}/runs", imports.start, "POST"),
    _staff("/connections/{connection_id:uuid}/statistics", statistics.show),
    _staff("/connections/{connection_id:uuid}/reconciliation", reconciliation.show),
    _staff("/connections/{connection_id:uuid}/reconciliation", reconciliation.start, "POST"),
    _staff("/connections/{connection_id:uuid}/reconciliation/{stream}", reconciliation.history),
    _staff("/connections/{connection_id:uuid}/plans", imports.plan, "POST"),
    _staff("/connections/{connection_id:uuid}/syncs/new", syncs.new),
    _staff("/connections/{connection_id:uuid}/syncs/new", syncs.create, "POST"),
    _staff("/connections/{connection_id:uuid}/syncs/preview", syncs.preview, "POST"),
    _staff("/connections/{connection_id:uuid}/syncs/{sync_id:uuid}", syncs.edit),
    _staff("/connections/{connection_id:uuid}/syncs/{sync_id:uuid}", syncs.update, "POST"),
    _staff("/connections/{connection_id:uuid}/syncs/{sync_id:uuid}/preview", syncs.preview, "POST"),
    _staff("/connections/{connection_id:uuid}/syncs/{sync_id:uuid}/removal", syncs.remove, "POST"),
    _staff("/runs", sync_runs.index),
    _staff("/runs/{run_id:uuid}", sync_runs.show),
    _staff("/runs/{run_id:uuid}/events", sync_runs.events),
    _staff("/runs/{run_id:uuid}/cancellation", sync_runs.cancel, "POST"),
    _staff("/runs/{run_id:uuid}/undo", plans.undo, "POST"),
    _staff("/plans", plans.index),
    _staff("/plans/{plan_id:uuid}", plans.show),
    _staff("/plans/{plan_id:uuid}/events", plans.events),
    _staff("/plans/{plan_id:uuid}/selection", plans.select, "POST"),
    _staff("/plans/{plan_id:uuid}/application", plans.apply, "POST"),
    _staff("/plans/{plan_id:uuid}/dismissal", plans.dismiss, "POST"),
    _staff("/plans/{plan_id:uuid}/renewal", plans.renew, "POST"),
    _staff("/conflicts", conflicts.index),
    _staff("/conflicts/resolutions", conflicts.resolve_many, "POST"),
    _staff("/conflicts/restoration", conflicts.undo, "POST"),
    _staff("/conflicts/{conflict_id:uuid}/resolution", conflicts.resolve, "POST"),
    _staff("/conflicts/{conflict_id:uuid}/rule", conflict_rules.ask),
    _staff("/conflicts/{conflict_id:uuid}/rule", conflict_rules.make, "POST"),
    _staff("/failed-records", failed_records.index),
    _staff("/failed-records/list", failed_records.listed),
    _staff("/failed-records/retry", failed_retries.retry, "POST"),
    _staff("/failed-records/dismissals", failed_records.dismiss_many, "POST"),
    _staff("/failed-records/{record_id:uuid}", failed_records.show),
    _staff("/failed-records/{record_id:uuid}/payload", failed_records.edit, "POST"),
    _staff("/failed-records/{record_id:uuid}/dismissal", failed_records.dismiss, "POST"),
    _staff("/failed-records/{record_id:uuid}/reopening", failed_records.reopen, "POST"),
    _staff("/held-deletions", held_deletions.index),
    _staff("/held-deletions/{quarantine_id:uuid}", held_deletions.show),
    _staff("/held-deletions/{quarantine_id:uuid}/release", held_deletions.ask_release),
    _staff("/held-deletions/{quarantine_id:uuid}/release", held_deletions.release, "POST"),
    _staff("/held-deletions/{quarantine_id:uuid}/dismissal", held_deletions.keep, "POST"),
    _staff("/contacts", records.contacts),
    _staff("/documents", documents.index),
    _staff("/documents/push", documents.ask_push),
    _staff("/contacts/new", contact_creation.new),
    _staff("/contacts/new", contact_creation.create, "POST"),
    _staff("/contacts/duplicates", duplicates.index),
    _staff("/contacts/merge", duplicates.compare),
    _staff("/records/{record_id:uuid}", records.show),
    _staff("/records/{record_id:uuid}/edit", record_edits.edit),
    _staff("/records/{record_id:uuid}/edit", record_edits.update, "POST"),
    _staff("/records/{record_id:uuid}/merge", merges.choose),
    _staff("/records/{record_id:uuid}/merge", merges.merge, "POST"),
    _staff("/records/{record_id:uuid}/parting", merges.part, "POST"),
    _staff("/records/{record_id:uuid}/deletion", record_edits.ask_deletion),
    _staff("/records/{record_id:uuid}/deletion", record_edits.delete, "POST"),
    _staff("/records/{record_id:uuid}/versions/{version:int}", record_edits.show_version),
    _staff("/records/{record_id:uuid}/versions/{version:int}/restoration", record_edits.restore, "POST"),
    _staff("/records/{record_id:uuid}/pushes", record_pushes.push, "POST"),
    _staff("/records/{record_id:uuid}/deliveries/{delivery_id:uuid}/events", record_pushes.events),
    _staff("/quotes", staff_quotes.index),
    _staff("/quotes/{quote_id:uuid}", staff_quotes.show),
    _staff("/quotes/{quote_id:uuid}/events", staff_quotes.events),
    _staff("/deliveries/{delivery_id:uuid}/retry", staff_quotes.retry_delivery, "POST"),
    _staff("/clients", clients.index),
    _staff("/clients", clients.invite, "POST"),
    _staff("/clients/new", clients.new),
    _staff("/clients/{client_id:uuid}", clients.show),
    _staff("/clients/{client_id:uuid}/link", clients.make_link, "POST"),
    _staff("/mail", mail.index),
    _staff("/audit", audit.index),
    _staff("/audit/verification", audit.verify, "POST"),
    _staff("/settings", tokens.show),
    _staff("/settings/tokens", tokens.create, "POST"),
    _staff("/settings/tokens/{token_id:uuid}/revocation", tokens.ask_revocation),
    _staff("/settings/tokens/{token_id:uuid}/revocation", tokens.revoke, "POST"),
    _open("/{rest:path}", missing, "console"),
]

routes: list[BaseRoute] = [
    Route("/static/branding/{color}-{digest}.css", branding),
    Route("/static/{digest}/{name:path}", assets.serve),
    Mount("/portal", routes=client_routes),
    Mount("/console", routes=staff_routes),
]
