"""Run ``meson test`` in a build directory; print one line of totals, and the logs of what failed.

``python ctest.py BUILDDIR [more arguments of meson test]``
"""

import json
import re
import subprocess
import sys
from pathlib import Path


def main() -> int:
    """The exit status of meson test."""
    build = Path(sys.argv[1])
    log = build / "meson-logs" / "testlog.json"
    log.unlink(missing_ok=True)
    command = ["meson", "test", "-C", str(build), "--print-errorlogs", "-t", "4", *sys.argv[2:]]
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    results = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    passed = sum(result["result"] == "OK" for result in results)
    checks = sum(int(number) for result in results for number in re.findall(r"(\d+) checks", result.get("stdout", "")))
    if run.returncode or passed != len(results) or not results:
        print(run.stdout)
        print(f"C tests in {build}: {passed} passed, {len(results) - passed} failed")
        return run.returncode or 1
    print(f"C tests in {build}: {passed} passed, {checks} checks")
    return 0


if __name__ == "__main__":
    sys.exit(main())
