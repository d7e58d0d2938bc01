"""Mutations on quotes: a client's answer."""

from typing import Annotated
from uuid import UUID

import strawberry

from app.api.context import Info
from app.api.ids import IdempotencyKey, QuoteId, uuid_of
from app.api.refusals import GENERAL, Refusal, answers, common
from app.api.types.quote_lines import QuoteFieldChange, QuoteLineChange
from app.api.types.quotes import Decision, Quote
from app.quotes.refusals import (
    LinesInvalid,
    QuoteAlreadyDecided,
    QuoteChanged,
    QuoteExpired,
    QuoteNotOpen,
    ReasonMissing,
    SignatureMissing,
    TermsNotAccepted,
)

Version = Annotated[int, strawberry.argument(description="The `version` of the quote that was seen.")]
Note = Annotated[str | None, strawberry.argument(description="A note that goes along to the provider.")]


@strawberry.type(name="QuoteChanged", description="The quote has changed since it was opened. Look at what changed and decide again.")
class QuoteChangedRefusal(Refusal):
    refuses = (QuoteChanged,)
    current_version: int = strawberry.field(description="The version that it has now.")
    changes: list[QuoteLineChange] = strawberry.field(description="What changed, line by line.")
    field_changes: list[QuoteFieldChange] = strawberry.field(description="What else changed: title, currency or total.")

    @classmethod
    def of(cls, error: QuoteChanged) -> "QuoteChangedRefusal":
        return cls(
            **common(error),
            current_version=error.current_version,
            changes=[QuoteLineChange.of(change) for change in error.changes],
            field_changes=[QuoteFieldChange(name=change.name, old=change.old, new=change.new) for change in error.fields],
        )


@strawberry.type(name="QuoteAlreadyDecided", description="Somebody has decided this quote already.")
class QuoteAlreadyDecidedRefusal(Refusal):
    refuses = (QuoteAlreadyDecided,)
    decision: Decision = strawberry.field(description="The decision that counts.")

    @classmethod
    def of(cls, error: QuoteAlreadyDecided) -> "QuoteAlreadyDecidedRefusal":
        return cls(**common(error), decision=Decision.of(error.decision))


@strawberry.type(name="QuoteExpired", description="The quote was open for too long.")
class QuoteExpiredRefusal(Refusal):
    refuses = (QuoteExpired,)


@strawberry.type(name="QuoteNotOpen", description="It is no longer a quote at its provider.")
class QuoteNotOpenRefusal(Refusal):
    refuses = (QuoteNotOpen,)


@strawberry.type(name="LinesInvalid", description="The lines are not a choice of this quote's lines.")
class LinesInvalidRefusal(Refusal):
    refuses = (LinesInvalid,)


@strawberry.type(name="ReasonMissing", description="A quote is declined with a reason.")
class ReasonMissingRefusal(Refusal):
    refuses = (ReasonMissing,)


@strawberry.type(name="SignatureMissing", description="A quote is approved with a typed name.")
class SignatureMissingRefusal(Refusal):
    refuses = (SignatureMissing,)


@strawberry.type(name="TermsNotAccepted", description="A quote is approved under the organization's terms.")
class TermsNotAcceptedRefusal(Refusal):
    refuses = (TermsNotAccepted,)


@strawberry.type(description="The decision is recorded and will be sent to the provider; `quote.delivery` says how far it has got.")
class ApproveQuoteSuccess:
    decision: Decision = strawberry.field(description="The decision; with a repeated key the one that was made.")
    quote: Quote = strawberry.field(description="The quote as it is now.")


@strawberry.type(description="The decision is recorded and will be sent to the provider; `quote.delivery` says how far it has got.")
class RejectQuoteSuccess:
    decision: Decision = strawberry.field(description="The decision; with a repeated key the one that was made.")
    quote: Quote = strawberry.field(description="The quote as it is now.")


_UNDECIDABLE = QuoteChangedRefusal | QuoteAlreadyDecidedRefusal | QuoteExpiredRefusal | QuoteNotOpenRefusal | LinesInvalidRefusal

ApproveQuoteResult = Annotated[
    ApproveQuoteSuccess | _UNDECIDABLE | SignatureMissingRefusal | TermsNotAcceptedRefusal | GENERAL,
    strawberry.union("ApproveQuoteResult", description="The decision, or why there is none."),
]
RejectQuoteResult = Annotated[
    RejectQuoteSuccess | _UNDECIDABLE | ReasonMissingRefusal | GENERAL,
    strawberry.union("RejectQuoteResult", description="The decision, or why there is none."),
]


@strawberry.input(description="Why one line is not wanted.")
class LineReason:
    line_id: strawberry.ID = strawberry.field(description="The line's id.")
    reason: str = strawberry.field(description="Why, in 1 to 2000 characters.")


LineReasons = Annotated[list[LineReason] | None, strawberry.argument(description="Why single lines are not wanted.")]


@strawberry.type
class QuoteMutations:
    @strawberry.mutation(description="Approve a quote or some of its lines, as seen at a version: a changed quote is not approved.")
    @answers
    async def approve_quote(
        self,
        info: Info,
        quote_id: QuoteId,
        version: Version,
        signature_name: Annotated[str, strawberry.argument(description="The name, typed as signature.")],
        accept_terms: Annotated[bool, strawberry.argument(description="Whether the organization's terms are accepted.")],
        idempotency_key: IdempotencyKey,
        line_ids: Annotated[
            list[strawberry.ID] | None, strawberry.argument(description="The lines that are wanted; left out: all of them.")
        ] = None,
        note: Note = None,
        purchase_order: Annotated[str | None, strawberry.argument(description="The client's own number for the order.")] = None,
        line_reasons: LineReasons = None,
    ) -> ApproveQuoteResult:
        hub, actor, quote = info.context.hub, info.context.actor, uuid_of(quote_id, "Quote", field="quoteId")
        decision = await hub.quotes.approve(
            actor,
            quote,
            version=version,
            lines=None if line_ids is None else [uuid_of(id, "QuoteLine", field="lineIds") for id in line_ids],
            signature_name=signature_name,
            accept_terms=accept_terms,
            note=note,
            purchase_order=purchase_order,
            line_reasons=_reasons(line_reasons),
            idempotency_key=idempotency_key,
        )
        return ApproveQuoteSuccess(decision=Decision.of(decision), quote=Quote.of(await hub.quotes.quote(actor, quote), whole=True))

    @strawberry.mutation(description="Decline a quote, with a reason.")
    @answers
    async def reject_quote(
        self,
        info: Info,
        quote_id: QuoteId,
        version: Version,
        reason: Annotated[str, strawberry.argument(description="Why, in 1 to 2000 characters.")],
        idempotency_key: IdempotencyKey,
        line_reasons: LineReasons = None,
        note: Note = None,
    ) -> RejectQuoteResult:
        hub, actor, quote = info.context.hub, info.context.actor, uuid_of(quote_id, "Quote", field="quoteId")
        decision = await hub.quotes.reject(
            actor,
            quote,
            version=version,
            reason=reason,
            line_reasons=_reasons(line_reasons),
            note=note,
            idempotency_key=idempotency_key,
        )
        return RejectQuoteSuccess(decision=Decision.of(decision), quote=Quote.of(await hub.quotes.quote(actor, quote), whole=True))


def _reasons(given: list[LineReason] | None) -> dict[UUID, str] | None:
    return {uuid_of(each.line_id, "QuoteLine", field="lineReasons"): each.reason for each in given} if given else None
