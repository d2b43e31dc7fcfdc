"""Does the demo grow? Its resident memory over minutes, after it has warmed up."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from stream.cli.bench.report import Report
from stream.cli.bench.scale import Scale
from stream.errors import MaskstreamError

WARM_UP_SHARE = 0.2
SAMPLES = 120
LEAVE_S = 20.0


def measure(report: Report, scale: Scale) -> None:
    """Run the demo in a process of its own and fit a line through its memory after warm-up."""
    command = [sys.executable, "-c", "from stream.cli import main; main()", "demo", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 - our own demo
    try:
        points = _sample(report, process, scale.memory_s)
    finally:
        process.terminate()
        process.wait(LEAVE_S)
    warm = np.array([point for point in points if point[0] >= WARM_UP_SHARE * scale.memory_s])
    slope, _ = np.polyfit(warm[:, 0] / 60, warm[:, 1], 1)
    size = float(np.median(warm[:, 1]))
    report.figure("memory.slope_mb_per_min", slope)
    report.figure("memory.size_mb", size)
    report.table(
        ["demo", "resident MB", "MB per minute"],
        [[f"{scale.memory_s / 60:.1f} min", f"{size:.0f}", f"{slope:+.2f}"]],
    )
    report.line(
        "memory",
        "Resident memory of the demo",
        ("minutes", "MB"),
        [(second / 60, megabytes) for second, megabytes in points],
    )


def _sample(
    report: Report, process: subprocess.Popen[bytes], seconds: float
) -> list[tuple[float, float]]:
    began = time.monotonic()
    points: list[tuple[float, float]] = []
    while (passed := time.monotonic() - began) < seconds:
        time.sleep(seconds / SAMPLES)
        if process.poll() is not None:
            raise MaskstreamError(f"the demo ended with exit code {process.returncode}")
        points.append((passed, _resident_mb(process.pid)))
        if len(points) % (SAMPLES // 10) == 0:
            report.say(f"  {passed:.0f} of {seconds:.0f} s: {points[-1][1]:.0f} MB")
    return points


def _resident_mb(process: int) -> float:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise MaskstreamError(f"/proc/{process}/status: no VmRSS")
