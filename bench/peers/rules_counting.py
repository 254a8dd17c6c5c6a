"""Peers of the rule matcher: plain Python counting (ours, as fast as plain Python gets), CLIPS and CEL.

All of them match levels only: no waits, triggers, deletion or inversion of the unknown, so that they do less than the
native matcher. A rule is a tuple of (property, value); an event is (property, value); ``feed`` gives the rules that
became satisfied.
"""

from __future__ import annotations

from typing import Any

Rules = list[tuple[tuple[int, int], ...]]
Event = tuple[int, int]


class CountingMatcher:
    """For each (property, value) the rules that want it; for each rule how many conditions it misses."""

    def __init__(self, rules: Rules, properties: int) -> None:
        self.missing = [len(set(rule)) for rule in rules]
        self.wants: list[list[list[int]]] = [[[], []] for _ in range(properties)]
        self.values: list[int | None] = [None] * properties
        for number, rule in enumerate(rules):
            for prop, value in set(rule):
                self.wants[prop][value].append(number)

    def feed(self, prop: int, value: int) -> list[int] | None:
        """What became satisfied; None when nothing was news."""
        values = self.values
        old = values[prop]
        if old == value:
            return None
        values[prop] = value
        missing = self.missing
        wants = self.wants[prop]
        if old is not None:
            for rule in wants[old]:
                missing[rule] += 1
        fired = []
        for rule in wants[value]:
            left = missing[rule] = missing[rule] - 1
            if not left:
                fired.append(rule)
        return fired


class ClipsMatcher:
    """One CLIPS rule per rule, facts (p N V); its Rete network keeps what is satisfied."""

    def __init__(self, rules: Rules) -> None:
        import clips

        self.env: Any = clips.Environment()
        self.fired: list[int] = []
        self.env.define_function(self._fire, "fire")
        self.facts: dict[int, Any] = {}
        self.values: dict[int, int] = {}
        for number, rule in enumerate(rules):
            facts = " ".join(f"(p {prop} {value})" for prop, value in rule)
            self.env.build(f"(defrule r{number} {facts} => (fire {number}))")

    def _fire(self, number: int) -> None:
        self.fired.append(number)

    def feed(self, prop: int, value: int) -> list[int]:
        """What became satisfied."""
        if self.values.get(prop) == value:
            return []
        self.values[prop] = value
        if prop in self.facts:
            self.facts[prop].retract()
        self.facts[prop] = self.env.assert_string(f"(p {prop} {value})")
        self.fired = []
        self.env.run()
        return self.fired


class CelMatcher:
    """One compiled CEL expression per rule, and the index from properties to rules that CEL has not."""

    def __init__(self, rules: Rules) -> None:
        import cel

        self.about: dict[int, list[tuple[int, Any, list[str]]]] = {}
        self.values: dict[int, int] = {}
        self.state: dict[str, int] = {}
        self.on: set[int] = set()
        for number, rule in enumerate(rules):
            text = " && ".join(f"p{prop} == {value}" for prop, value in rule)
            row = (number, cel.compile(text), [f"p{prop}" for prop, _ in rule])
            for prop in {prop for prop, _ in rule}:
                self.about.setdefault(prop, []).append(row)

    def feed(self, prop: int, value: int) -> list[int]:
        """What became satisfied. Properties that nobody has told yet are -1."""
        if self.values.get(prop) == value:
            return []
        self.values[prop] = value
        self.state[f"p{prop}"] = value
        fired = []
        state = self.state
        for number, program, names in self.about.get(prop, ()):
            if program.execute({name: state.get(name, -1) for name in names}):
                if number not in self.on:
                    self.on.add(number)
                    fired.append(number)
            else:
                self.on.discard(number)
        return fired
