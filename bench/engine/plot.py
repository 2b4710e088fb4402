"""A plot of small panels as SVG, readable on light and on dark pages."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

COLUMNS = 2
WIDTH, HEIGHT = 440, 124  # of a panel, with the space to the next
LABELS = 60  # where bars begin
LONGEST = 290
BAR, STEP, TOP = 16, 22, 42  # of bars: height, distance, and where they begin

# The page may be either, and the picture has no background of its own.
STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600 }
  .unit { fill: #59636e }
  .peer { fill: #9aa4af }
  .ours { fill: #0b7285 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .unit { fill: #9198a1 }
    .peer { fill: #59636e }
    .ours { fill: #3bc9db }
  }
"""


@dataclass(frozen=True, slots=True)
class Bar:
    """One value, and how it is written."""

    label: str
    value: float
    text: str
    ours: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Bars on one scale."""

    title: str
    unit: str
    bars: Sequence[Bar]


def plot(panels: Sequence[Panel]) -> str:
    """Return the picture, a panel for each scale."""
    rows = -(-len(panels) // COLUMNS)
    size = f"{COLUMNS * WIDTH} {rows * HEIGHT}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" role="img">',
            f"<style>{STYLE}</style>",
            *(part for number, panel in enumerate(panels) for part in _panel(number, panel)),
            "</svg>\n",
        ]
    )


def _panel(number: int, panel: Panel) -> Iterator[str]:
    left, top = number % COLUMNS * WIDTH, number // COLUMNS * HEIGHT
    yield f'<g transform="translate({left} {top})">'
    yield _text(0, 14, panel.title, style="title")
    yield _text(0, 30, panel.unit, style="unit")
    most = max(bar.value for bar in panel.bars) or 1
    for index, bar in enumerate(panel.bars):
        yield from _bar(bar, TOP + index * STEP, max(bar.value / most * LONGEST, 1))
    yield "</g>"


def _bar(bar: Bar, top: float, length: float) -> Iterator[str]:
    style = "ours" if bar.ours else "peer"
    middle = top + BAR - 4
    yield _text(LABELS - 8, middle, bar.label, anchor="end")
    yield (
        f'<rect class="{style}" x="{LABELS}" y="{top}" width="{length:.1f}" height="{BAR}" rx="2"/>'
    )
    yield _text(LABELS + length + 6, middle, bar.text)


def _text(x: float, y: float, text: str, *, style: str = "", anchor: str = "start") -> str:
    kind = f' class="{style}"' if style else ""
    return f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}"{kind}>{escape(text)}</text>'
