"""Reads the output of valgrind's callgrind (its "Callgrind Format Specification") into folded stacks.

Callgrind keeps a call graph, not stacks: the cost of a function that has several callers is shared out among them
in the proportion of the calls' inclusive cost. For kernels, whose call graph is nearly a tree, that is exact.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

Graph = tuple[dict[str, float], dict[str, dict[str, float]]]


def parse(lines: Iterable[str]) -> Graph:
    """Own cost by function, and inclusive cost by caller and callee, in instructions."""
    own: defaultdict[str, float] = defaultdict(float)
    calls: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    names: dict[str, str] = {}
    function = callee = ""
    called = False
    for line in lines:
        if found := re.match(r"(c?fn)=(\(\d+\))(?: (.*))?$", line):
            name = names.setdefault(found[2], found[3] or "?")
            if found[1] == "fn":
                function = name
            else:
                callee = name
        elif line.startswith("calls="):
            called = True
        elif re.match(r"[+\-*\d]", line):
            cost = float(line.split()[1]) if len(line.split()) > 1 else 0.0
            if called:
                calls[function][callee] += cost
            else:
                own[function] += cost
            called = False
    return dict(own), {caller: dict(callees) for caller, callees in calls.items()}


def stacks(graph: Graph, depth: int = 60) -> dict[tuple[str, ...], float]:
    """Folded stacks from the functions that nobody calls."""
    own, calls = graph
    called = {name for callees in calls.values() for name in callees}
    total = {name: own.get(name, 0.0) + sum(calls.get(name, {}).values()) for name in {*own, *calls, *called}}
    out: defaultdict[tuple[str, ...], float] = defaultdict(float)

    def walk(path: tuple[str, ...], weight: float) -> None:
        name = path[-1]
        if weight < 1 or total[name] <= 0:
            return
        share = weight / total[name]
        out[path] += own.get(name, 0.0) * share
        for callee, cost in calls.get(name, {}).items():
            if callee not in path and len(path) < depth:
                walk((*path, callee), cost * share)

    for name in sorted(set(total) - called):
        walk((name,), total[name])
    return {path: weight for path, weight in out.items() if weight >= 1}
