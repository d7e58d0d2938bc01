"""Single objects at the provider: found, changed, deleted, created.

Objects are found through their list: by path, a deleted one may answer 404 though it is still there.
"""

from typing import Any
from uuid import NAMESPACE_URL, uuid5

from app.connectors.base import Session
from app.connectors.client import segment
from app.connectors.errors import RequestRejected
from app.connectors.servicem8.payloads import is_active
from app.connectors.servicem8.reading import equals, list_path, read_objects

Object = dict[str, Any]


async def find(session: Session, name: str, uuid: str) -> Object | None:
    """The object, deleted or not; None where it never was."""
    found = await read_objects(session, name, equals("uuid", uuid))
    return next((one for one in found if one["uuid"] == uuid), None)


async def active_lines(session: Session, job_uuid: str) -> list[Object]:
    """A job's lines. https://developer.servicem8.com/reference/listjobmaterials"""
    found = await read_objects(session, "jobmaterial", equals("job_uuid", job_uuid))
    return [line for line in found if is_active(line.get("active"))]


async def set_status(session: Session, job_uuid: str, status: str, **fields: str) -> None:
    """https://developer.servicem8.com/reference/updatejobs. Only what must change: other fields would overwrite what staff edit."""
    await session.client.post(_record_path("job", job_uuid), {"status": status, **fields})


async def delete_line(session: Session, uuid: str) -> None:
    """https://developer.servicem8.com/reference/deletejobmaterials. A second delete brings the line back: look first."""
    await session.client.delete(_record_path("jobmaterial", uuid))


async def restore_line(session: Session, line: Object) -> None:
    """Undo a deletion; the quantity is documented as required with every change."""
    body = {"active": 1, "quantity": str(line.get("quantity", "1"))}
    await session.client.post(_record_path("jobmaterial", str(line["uuid"])), body, replay_safe=True)


async def add_note(session: Session, uuid: str, job_uuid: str, text: str) -> None:
    """https://developer.servicem8.com/reference/createnotes. With our own uuid a repeat is answered with 409: it is there already."""
    body = {"uuid": uuid, "active": 1, "related_object": "job", "related_object_uuid": job_uuid, "note": text}
    try:
        await session.client.post(list_path("note"), body, replay_safe=True)
    except RequestRejected as error:
        if error.status != 409:
            raise


def note_uuid(decision_id: str, job_uuid: str) -> str:
    """The same for every attempt to deliver a decision."""
    return str(uuid5(NAMESPACE_URL, f"crosswalk:decision:{decision_id}:job:{job_uuid}"))


def _record_path(name: str, uuid: str) -> str:
    return f"/api_1.0/{name}/{segment(uuid)}.json"
