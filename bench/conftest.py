"""Benches measure a release build, and every bench says which gate it belongs to."""

import pytest

from axcore import build_info


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse what would give numbers without meaning."""
    if build_info.BUILDTYPE != "release" or build_info.SANITIZE not in {"none", "", "[]"}:
        built = f"{build_info.BUILDTYPE}, sanitizers {build_info.SANITIZE}"
        raise pytest.UsageError(f"benches need a release build without sanitizers; this one is {built}")
    for item in items:
        marker = item.get_closest_marker("benchmark")
        if marker is None or not marker.kwargs.get("group"):
            raise pytest.UsageError(f"{item.nodeid}: no @pytest.mark.benchmark(group=...)")
