"""A few shapes of SVG, as text."""

from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape

Point = tuple[float, float]
FONT = 'font-family="sans-serif" font-size="12"'


def drawing(width: int, height: int, shapes: Iterable[str]) -> str:
    """Return a whole picture on white."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" {FONT}>'
    ground = f'<rect width="{width}" height="{height}" fill="white"/>'
    return "\n".join((head, ground, *shapes, "</svg>")) + "\n"


def line(begin: Point, end: Point, colour: str = "#cccccc") -> str:
    """Return a thin straight line."""
    return (
        f'<line x1="{begin[0]:.1f}" y1="{begin[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}"'
        f' stroke="{colour}"/>'
    )


def steps(points: Sequence[Point], colour: str, width: float = 1.5) -> str:
    """Return a line that goes from point to point by right angles, first along, then up."""
    path = [f"M{points[0][0]:.1f},{points[0][1]:.1f}"]
    path += [f"H{x:.1f}V{y:.1f}" for x, y in points[1:]]
    return f'<path d="{"".join(path)}" fill="none" stroke="{colour}" stroke-width="{width}"/>'


def box(corner: Point, width: float, height: float, colour: str) -> str:
    """Return a filled rectangle."""
    x, y = corner
    size = f'width="{max(width, 0):.1f}" height="{max(height, 0):.1f}"'
    return f'<rect x="{x:.1f}" y="{y:.1f}" {size} fill="{colour}"/>'


def text(at: Point, words: str, anchor: str = "start", colour: str = "black") -> str:
    """Return words; anchor is start, middle or end."""
    place = f'x="{at[0]:.1f}" y="{at[1]:.1f}" text-anchor="{anchor}" fill="{colour}"'
    return f"<text {place}>{escape(words)}</text>"
