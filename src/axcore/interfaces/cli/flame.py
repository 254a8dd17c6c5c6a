"""Flame graphs as SVG and tables from folded stacks (the form of B. Gregg's stackcollapse tools: ``a;b;c 42``).

No script is needed to read one: each box has a tooltip with its share. Boxes narrower than half a pixel are left
out.
"""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

Stacks = Mapping[tuple[str, ...], float]
WIDTH, ROW, CHAR = 1200.0, 17, 6.6


@dataclass
class Node:
    """A box: a function called from the path above it."""

    name: str
    total: float = 0.0
    children: dict[str, Node] = field(default_factory=dict)


def tree(stacks: Stacks) -> Node:
    """Merge stacks (outermost first) into one tree."""
    root = Node("all")
    for stack, weight in stacks.items():
        root.total += weight
        node = root
        for name in stack:
            node = node.children.setdefault(name, Node(name))
            node.total += weight
    return root


def svg(stacks: Stacks, title: str, unit: str) -> str:
    """The flame graph of ``stacks``, root at the bottom."""
    root = tree(stacks)
    if root.total <= 0:
        raise ValueError("no samples")
    boxes: list[tuple[Node, float, int]] = []
    _place(root, 0.0, 0, WIDTH / root.total, boxes)
    height = (max(depth for _, _, depth in boxes) + 1) * ROW + 50
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {height}" width="{WIDTH:.0f}" '
        f'height="{height}" font-family="monospace" font-size="11">',
        f'<rect width="100%" height="100%" fill="#fdfdf6"/><text x="8" y="22" font-size="15">{escape(title)}</text>',
    ]
    for node, left, depth in boxes:
        width = node.total * WIDTH / root.total
        top = height - 10 - (depth + 1) * ROW
        share = f"{node.name} ({node.total:,.0f} {unit}, {node.total / root.total:.1%})"
        text = node.name if len(node.name) * CHAR < width - 6 else node.name[: max(0, int((width - 6) / CHAR) - 1)]
        lines.append(
            f'<g><title>{escape(share)}</title><rect x="{left:.1f}" y="{top}" width="{max(0.4, width - 0.6):.1f}" '
            f'height="{ROW - 1}" rx="2" fill="{_shade(node.name)}"/>'
            + (f'<text x="{left + 3:.1f}" y="{top + 12}">{escape(text)}</text>' if len(text) > 2 else "")
            + "</g>"
        )
    return "\n".join([*lines, "</svg>", ""])


def _place(node: Node, left: float, depth: int, scale: float, boxes: list[tuple[Node, float, int]]) -> None:
    boxes.append((node, left, depth))
    for child in sorted(node.children.values(), key=lambda n: n.name):
        if child.total * scale >= 0.5:
            _place(child, left, depth + 1, scale, boxes)
        left += child.total * scale


def _shade(name: str) -> str:
    spread = zlib.crc32(name.encode())
    return f"hsl({15 + spread % 40},{70 + spread // 64 % 20}%,{62 + spread // 4096 % 14}%)"


def functions(stacks: Stacks, limit: int = 25) -> list[tuple[str, float, float]]:
    """(function, own share, share with what it calls), shares 0..1, most own first."""
    whole = sum(stacks.values()) or 1.0
    own: Counter[str] = Counter()
    within: defaultdict[str, float] = defaultdict(float)
    for stack, weight in stacks.items():
        own[stack[-1]] += weight  # type: ignore[assignment]
        for name in set(stack):
            within[name] += weight
    return [(name, weight / whole, within[name] / whole) for name, weight in own.most_common(limit)]


def fold(stacks: Stacks) -> str:
    """Folded text, one stack a line."""
    return "".join(f"{';'.join(stack)} {weight:.0f}\n" for stack, weight in sorted(stacks.items()))


def unfold(lines: Iterable[str]) -> Stacks:
    """Read folded text."""
    stacks: defaultdict[tuple[str, ...], float] = defaultdict(float)
    for line in lines:
        path, _, weight = line.rstrip("\n").rpartition(" ")
        if path:
            stacks[tuple(path.split(";"))] += float(weight)
    return stacks
