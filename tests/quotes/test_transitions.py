"""What a changed job means for its quote, case by case. Pure."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.ids import new_id
from app.quotes.content import project_job
from app.quotes.models import QuoteStatus
from app.quotes.transitions import Known, Step, head_of, next_step

EDITED = datetime(2026, 11, 21, 8, tzinfo=UTC)
JOB = {
    "status": "quote",
    "number": "1042",
    "title": "Switchboard",
    "contact_external_id": "c",
    "edited_at": EDITED.isoformat(),
    "lines": [{"external_id": "1", "description": "Work", "quantity": "1", "unit_price": "10"}],
}
QUOTED = project_job(JOB, "EUR")
ORDERED = project_job(JOB | {"status": "work_order"}, "EUR")
OPEN = Known(
    id=new_id(),
    client_id=None,
    status=QuoteStatus.OPEN,
    provider_status="quote",
    version=1,
    content_hash=QUOTED.content_hash,
    head=head_of(QUOTED),
    contact_external_id="c",
    contact_name="Acme",
    valid_until=None,
    decision_id=None,
    confirmation=None,
)
WITHDRAWN = replace(OPEN, status=QuoteStatus.WITHDRAWN, provider_status="work_order")
DECIDED = replace(OPEN, status=QuoteStatus.APPROVED, decision_id=new_id())


def confirmed(at: datetime) -> Known:
    return replace(DECIDED, provider_status="work_order", confirmation={"edited_at": at.isoformat()})


EARLIER, LATER = EDITED - timedelta(minutes=1), EDITED + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("known", "projected", "was_quote", "step"),
    [
        (None, QUOTED, False, Step.CREATE),
        (None, ORDERED, False, Step.NOTHING),
        (None, None, True, Step.NOTHING),
        (OPEN, QUOTED, True, Step.NOTHING),
        (OPEN, replace(QUOTED, number="1043"), True, Step.FOLLOW),
        (OPEN, replace(QUOTED, content_hash="other"), True, Step.FOLLOW),
        (OPEN, ORDERED, True, Step.WITHDRAW),
        (OPEN, None, True, Step.WITHDRAW),
        (WITHDRAWN, ORDERED, False, Step.NOTHING),
        (WITHDRAWN, None, False, Step.WITHDRAW),
        (WITHDRAWN, QUOTED, False, Step.FOLLOW),
        (DECIDED, QUOTED, True, Step.NOTHING),
        (DECIDED, replace(QUOTED, content_hash="other"), True, Step.NOTHING),
        (DECIDED, QUOTED, False, Step.NOTHING),
        (DECIDED, ORDERED, True, Step.NOTE),
        (DECIDED, None, True, Step.NOTE),
        (confirmed(EARLIER), ORDERED, True, Step.NOTHING),
        (confirmed(EARLIER), QUOTED, True, Step.REOPEN),
        (confirmed(EDITED), QUOTED, True, Step.NOTE),
        (confirmed(LATER), QUOTED, True, Step.NOTE),
        (confirmed(LATER), QUOTED, False, Step.REOPEN),
        (replace(DECIDED, provider_status="work_order", confirmation={"edited_at": "nonsense"}), QUOTED, True, Step.NOTE),
    ],
)
def test_every_case_has_one_step(known, projected, was_quote, step):
    assert next_step(known, projected, was_quote) is step
