"""Decisions on offers, as the hub makes them of what it read."""

import secrets
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from app.connectors.base import DecidedLine, QuoteDecision
from app.connectors.metakocka.sandbox.testing import RunningSandbox
from tests.connectors.metakocka.company import add_offer

PRICES = (("2", "100"), ("1.5", "36.450"), ("3", "7"))
"""Quantities and unit prices after discounts, of the offer that company.py makes."""


async def make_decision(
    sandbox: RunningSandbox, action: str, *, declined: Sequence[int] = (1, 2), offer: dict[str, Any] | None = None, **values: Any
) -> QuoteDecision:
    """A decision on an offer, or a new one; in a partial one, the lines with these places are declined."""
    offer = offer or await add_offer(sandbox)
    partial = action == "approve_quote_partially"
    lines = tuple(
        DecidedLine(
            external_id=line["code"],
            description=line["name"],
            quantity=Decimal(quantity),
            unit_price=Decimal(price),
            approved=action != "reject_quote" and not (partial and place in declined),
            reason="Predrago" if partial and place in declined else None,
        )
        for place, (line, (quantity, price)) in enumerate(zip(offer["product_list"], PRICES, strict=True))
    )
    given: dict[str, Any] = {
        "decision_id": secrets.token_hex(16),
        "quote_external_id": offer["mk_id"],
        "outcome": {"approve_quote": "approved", "reject_quote": "rejected"}.get(action, "partially_approved"),
        "lines": lines,
        "decided_by": "Ana Žagar",
        "decided_at": "2026-11-21T07:00:00+00:00",
        "signature_name": "Ana Žagar",
        "reason": "Izbrali smo drugega" if action == "reject_quote" else None,
        "note": "Pokličite pred prihodom",
        "contact_external_id": offer["partner"]["mk_id"],
    }
    return QuoteDecision(**(given | values))
