"""Detect the CPU (model, flags, AMX) and an NVIDIA GPU; they decide which code of llama.cpp can run."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from functools import cache
from pathlib import Path

_CPU_KEYS = ("model name", "flags", "Features", "CPU part")  # x86 has the first two, Arm the others


@cache
def cpu() -> tuple[str, tuple[str, ...]]:
    """Model of the CPU and its flags, sorted; no flags where the system does not tell."""
    facts = _proc_cpuinfo()
    if facts:
        flags = facts.get("flags") or facts.get("Features") or ""
        return facts.get("model name") or facts.get("CPU part") or platform.machine(), tuple(
            sorted(flags.split())
        )
    return _sysctl_brand() or platform.processor() or platform.machine(), ()


def has_amx() -> bool:
    """Whether the CPU has Intel's tile units."""
    return "amx_tile" in cpu()[1]


def has_nvidia_card() -> bool:
    """Whether there is an NVIDIA card with its driver, be it one that llama.cpp can use or not."""
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None


def _proc_cpuinfo() -> dict[str, str]:
    """The first CPU's entries, on Linux."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    facts: dict[str, str] = {}
    for line in lines:
        key, colon, value = line.partition(":")
        if colon and key.strip() in _CPU_KEYS:
            facts.setdefault(key.strip(), value.strip())
    return facts


def _sysctl_brand() -> str:  # pragma: no cover - macOS
    """The CPU's name on macOS."""
    program = "/usr/sbin/sysctl"
    if not os.access(program, os.X_OK):
        return ""
    done = subprocess.run(  # noqa: S603 - a program of the system, no argument of a user
        [program, "-n", "machdep.cpu.brand_string"], capture_output=True, text=True, check=False, timeout=10
    )
    return done.stdout.strip()
