"""Throughput and latency against connections, as an SVG that needs nothing else to be seen."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log2, log10
from xml.sax.saxutils import escape

from benchmarks.results import Point

# Told apart by people who see colours differently, too (Okabe and Ito).
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
WIDTH, HEIGHT = 900, 400
LEFTS = (70, 520)  # of the two panels
ACROSS, TOP, BOTTOM = 350, 50, 310  # the span of a panel's axes
MOST_TICKS = 6
STYLE = "text{font:13px system-ui,sans-serif;fill:#222} line{stroke:#ddd} .end{text-anchor:end}"

Curves = Mapping[str, Sequence[Point]]


@dataclass(frozen=True)
class Panel:
    """One quantity against connections: `of` a point, from the first of its `ticks` to the last."""

    title: str
    left: int
    most: int
    of: Callable[[Point], float]
    ticks: Sequence[float]
    scale: Callable[[float], float] = float

    def x(self, connections: int) -> float:
        """Where a number of connections is; each doubling is a step."""
        return self.left + ACROSS * log2(connections) / max(1, log2(self.most))

    def y(self, value: float) -> float:
        """Where a value is."""
        low, high = self.scale(self.ticks[0]), self.scale(self.ticks[-1])
        return BOTTOM - (BOTTOM - TOP) * (self.scale(value) - low) / (high - low)

    def axes(self) -> Iterator[str]:
        """The title, and a line with its number for each tick."""
        right = self.left + ACROSS
        yield f'<text x="{self.left}" y="{TOP - 20}">{escape(self.title)}</text>'
        for tick in self.ticks:
            y = f"{self.y(tick):.1f}"
            yield f'<line x1="{self.left}" x2="{right}" y1="{y}" y2="{y}"/>'
            yield f'<text x="{self.left - 8}" y="{y}" dy="4" class="end">{tick:,g}</text>'
        for step in range(floor(log2(self.most)) + 1):
            x = f"{self.x(2**step):.1f}"
            yield f'<text x="{x}" y="{BOTTOM + 20}" text-anchor="middle">{2**step}</text>'
        yield f'<text x="{right}" y="{BOTTOM + 40}" class="end">connections</text>'

    def curve(self, points: Sequence[Point], colour: str) -> Iterator[str]:
        """A line through the points, and a dot on each."""
        places = [(self.x(point.connections), self.y(self.of(point))) for point in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
        for x, y in places:
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'


def chart(curves: Curves) -> str:
    """Two panels with a curve for each case, and which is which."""
    parts = [part for panel in panels(curves) for part in panel.axes()]
    for number, (case, points) in enumerate(curves.items()):
        colour = COLOURS[number % len(COLOURS)]
        parts += (part for panel in panels(curves) for part in panel.curve(points, colour))
        x, y = LEFTS[0] + 160 * number, HEIGHT - 16
        parts.append(f'<circle cx="{x}" cy="{y - 4}" r="5" fill="{colour}"/>')
        parts.append(f'<text x="{x + 12}" y="{y}">{escape(case)}</text>')
    drawn = "\n".join(parts)
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">
<title>Requests a second, and what 99 in 100 wait at most, against connections</title>
<style>{STYLE}</style>
<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>
{drawn}
</svg>
"""


def panels(curves: Curves) -> tuple[Panel, Panel]:
    """The two panels, with room for all the curves."""
    points = [point for curve in curves.values() for point in curve]
    most = max(point.connections for point in points)
    rates = even_ticks(max(point.per_second for point in points))
    waits = decades([point.p99_ms for point in points])
    return (
        Panel("requests a second", LEFTS[0], most, lambda point: point.per_second, rates),
        Panel("99th percentile, ms", LEFTS[1], most, lambda point: point.p99_ms, waits, log10),
    )


def even_ticks(most: float) -> list[float]:
    """From 0 to at least `most`, in round steps."""
    decade = 10.0 ** floor(log10(most / MOST_TICKS))
    step = next(decade * size for size in (1, 2, 5, 10) if most <= decade * size * MOST_TICKS)
    return [step * number for number in range(ceil(most / step) + 1)]


def decades(values: Sequence[float]) -> list[float]:
    """Powers of ten around all values."""
    low, high = floor(log10(min(values))), ceil(log10(max(values)))
    return [10.0**power for power in range(low, max(low + 1, high) + 1)]
