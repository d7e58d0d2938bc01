"""Numbers by day as shapes: bars that are stacked, and lines. Pure: values in, places out; a template draws them.

A drawing is 100 high and a slot for each day wide, and is stretched to whatever room there is; so it holds no text.
"""

from collections.abc import Sequence
from dataclasses import dataclass

HEIGHT = 100.0
SLOT = 10.0
BAR = 8.0


@dataclass(frozen=True, slots=True)
class Series:
    """One thing that is counted: what it is called, its look (a class of the stylesheet), and a number for each day."""

    word: str
    look: str
    values: Sequence[int]


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a bar."""

    look: str
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Bar:
    """What there was on one day."""

    x: float
    title: str
    pieces: Sequence[Piece]


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars by day, each stacked of several series from below."""

    bars: Sequence[Bar]
    top: int
    """What a bar of full height stands for; 0 where there is nothing to draw."""
    series: Sequence[Series]

    @property
    def width(self) -> float:
        return max(len(self.bars), 1) * SLOT


@dataclass(frozen=True, slots=True)
class Line:
    """A value by day; days without one leave a gap."""

    path: str
    dots: str
    """Each value as a stroke of no length, which a round cap makes a dot."""
    width: float


def bars(days: Sequence[str], series: Sequence[Series]) -> Bars:
    """`days` are their names; every series has a value for each of them."""
    top = max((sum(one.values[place] for one in series) for place in range(len(days))), default=0)
    drawn = [
        Bar(place * SLOT + (SLOT - BAR) / 2, _title(day, series, place), _pieces(series, place, top)) for place, day in enumerate(days)
    ]
    return Bars(drawn, top, series)


def _pieces(series: Sequence[Series], place: int, top: int) -> list[Piece]:
    pieces, floor = [], HEIGHT
    for one in series:
        if value := one.values[place]:
            height = max(value / top * HEIGHT, 1.5)  # even one of a million is to be seen
            floor -= height
            pieces.append(Piece(one.look, round(floor, 2), round(height, 2)))
    return pieces


def _title(day: str, series: Sequence[Series], place: int) -> str:
    said = [f"{one.values[place]:,} {one.word.lower()}" for one in series if one.values[place]]
    return f"{day}: {', '.join(said) or 'nothing'}"


def line(values: Sequence[float | None], top: float) -> Line:
    """`top` is the value at full height."""
    parts, dots, is_drawing = [], [], False
    for place, value in enumerate(values):
        if value is None:
            is_drawing = False
            continue
        x, y = place * SLOT + SLOT / 2, round(HEIGHT - (value / top * HEIGHT if top else 0), 2)
        parts.append(f"{'L' if is_drawing else 'M'}{x:g} {y:g}")
        dots.append(f"M{x:g} {y:g}h0")
        is_drawing = True
    return Line("".join(parts), "".join(dots), max(len(values), 1) * SLOT)
