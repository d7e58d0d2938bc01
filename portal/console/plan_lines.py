"""A plan's items as people read them: one line each, with the fields that change. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from app.conflicts.models import DELETED
from app.records.models import Record
from app.syncs.plans.models import PUSH, KindCount, PlanItem
from portal.console.conflict_cards import NAMES, title_of
from portal.console.fields import Difference, differences, label_of, marked, shown
from portal.console.words import KIND_WORDS


@dataclass(frozen=True, slots=True)
class Three:
    """A field with three values: of a conflict, or changed again since the run that is taken back."""

    label: str
    sides: Sequence[tuple[str, Markup]]
    """Whose value it is, and the value."""


@dataclass(frozen=True, slots=True)
class Line:
    """One item of a plan."""

    item: PlanItem
    title: str
    stream: str
    """How people call it."""
    where: str
    """Where the change happens."""
    changes: Sequence[Difference]
    threes: Sequence[Three]
    sentence: str
    """What there is to say of it."""
    is_open: bool
    """Its fields are shown at once: few, or what somebody has to look at."""

    @property
    def can_be_chosen(self) -> bool:
        return self.item.status != "applied" and self.item.kind != "remain"


@dataclass(frozen=True, slots=True)
class Summary:
    """What goes and what does not, over all items that somebody would see a difference of."""

    counts: Sequence[KindCount]
    changes: int
    selected: int
    applied: int
    refreshed: int
    """Items of which only what the hub remembers changes."""

    @property
    def left(self) -> int:
        """What has not been applied and could be."""
        return self.changes - self.applied


@dataclass(frozen=True, slots=True)
class MovedLine:
    """Something that made a plan outdated."""

    title: str
    record_id: str | None
    what: str


def moved_line(one: Mapping[str, Any], record: Record | None, stream: str) -> MovedLine:
    """`record` is the one that it names, `stream` as people call it; neither for what concerns the whole plan."""
    title = title_of(record) if record else f"{stream} {one['key']}".strip() or "The plan"
    return MovedLine(title, str(record.id) if record else None, one["what"])


def summary_of(counts: Sequence[KindCount]) -> Summary:
    known = {count.kind: count for count in counts}
    shown_ones = [known[kind] for kind in KIND_WORDS if kind in known]
    chosen = [count for count in shown_ones if count.kind != "remain"]
    return Summary(
        shown_ones,
        sum(count.items for count in chosen),
        sum(count.selected for count in chosen),
        sum(count.applied for count in chosen),
        known["refresh"].items if "refresh" in known else 0,
    )


def line_of(item: PlanItem, record: Record | None, stream: str, provider: str) -> Line:
    """`record` is the item's record as it is now, `stream` and `provider` as people call them."""
    changes = _changes(item.fields)
    return Line(
        item,
        _title(item, record),
        stream,
        f"at {provider}" if item.direction == PUSH else "in the hub",
        changes,
        [_three(name, values, provider) for name, values in sorted(item.fields.items()) if _is_three(values)],
        _sentence(item, provider),
        is_open=item.kind in ("update", "conflict") or len(changes) <= 2,
    )


def _title(item: PlanItem, record: Record | None) -> str:
    if item.kind == "hold":
        return "Deletions"
    if record is not None:
        return title_of(record)
    values = (item.fields.get(name, {}) for name in (*NAMES, "customer"))
    return next((str(each.get("after") or each.get("before")) for each in values if each), item.key)


def _changes(fields: Mapping[str, Mapping[str, Any]]) -> list[Difference]:
    two = {name: values for name, values in fields.items() if not _is_three(values)}
    sides = [{name: values[side] for name, values in two.items() if side in values} for side in ("before", "after")]
    return differences(*sides)


def _is_three(values: Mapping[str, Any]) -> bool:
    return not {"base", "ours", "theirs", "result", "now"}.isdisjoint(values)


def _three(name: str, values: Mapping[str, Any], provider: str) -> Three:
    named: Sequence[tuple[str, str]] = (("before", "Before the run"), ("result", "After the run"), ("now", "Now"))
    if "result" not in values and "now" not in values:
        named = (("base", "What both had"), ("ours", "Here, in the hub"), ("theirs", f"At {provider}"))
    texts = [(word, _text(name, values.get(side))) for side, word in named]
    last = texts[-1][1]
    return Three(
        label_of(name),
        [(word, marked(text, last) if place == 1 else marked(text, texts[1][1])) for place, (word, text) in enumerate(texts)],
    )


def _text(name: str, value: Any) -> str:
    if name != DELETED:
        return shown(value)
    return "Deleted" if value is True or value is None else "There" if value is False else shown(value)


def _sentence(item: PlanItem, provider: str) -> str:
    match item.kind, item.direction:
        case "hold", _:
            missing, known = len(item.fields["external_ids"]["missing"]), item.fields["records"]["known"]
            return (
                f"{missing:,} of {known:,} records are gone at {provider}. That is more at once than this stream's rules allow, so they "
                "would be held back until somebody releases them."
            )
        case (("failure" | "remain"), _):
            return str(item.error["message"]) if item.error else ""
        case "conflict", "undo":
            return "It was changed since the run, so it is left alone unless you choose it. Then the value from before the run comes back."
        case "conflict", _:
            return "Both sides changed it: each keeps its own value, and the conflict waits for a decision."
        case _:
            return ""
