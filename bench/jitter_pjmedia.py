"""Our jitter buffer beside PJMEDIA's (that of the pjsua2 wheel, by ctypes): ``python bench/jitter_pjmedia.py``.

Eight ways of the network, made from seeds, and the four of ``bench/jitter_traces.py``. A gap is time in which nothing
that came could be played: frames that were not played, or concealed time where that is more. What the network lost is
told beside it: no buffer can play that. PJMEDIA's is asked every 20 ms as its streams do, with their defaults
(adaptive, at most 500 ms, progressive discard); ours by a sound card's ticks of 10 ms.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
import jitter_traces as traces
from bench_jitter import START, Result, in_ticks, result

SEEDS = tuple(range(2001, 2009))
SECONDS = 60
NORMAL = 1


def _lost(delay: traces.Trace, rng: np.random.Generator, rate: float, burst: float) -> traces.Trace:
    return np.where(traces.burst_loss(rng, len(delay), rate, burst), np.nan, delay)


def _exponential(rng: np.random.Generator, n: int, ms: float) -> traces.Trace:
    return traces.in_order(rng.exponential(ms, n))


def _spikes(rng: np.random.Generator, n: int) -> traces.Trace:
    blocked = [(float(t), 200.0) for t in np.arange(3000, n * traces.FRAME_MS, 3000)]
    return traces.in_order(rng.exponential(0.5, n), blocked)


MADE: dict[str, Callable[[np.random.Generator, int], traces.Trace]] = {
    "clean": lambda rng, n: _exponential(rng, n, 0.2),
    "loss 1 %": lambda rng, n: _lost(_exponential(rng, n, 0.2), rng, 0.01, 1.001),
    "loss 5 %, bursts of 2": lambda rng, n: _lost(_exponential(rng, n, 0.2), rng, 0.05, 2),
    "loss 10 %, bursts of 3": lambda rng, n: _lost(_exponential(rng, n, 0.2), rng, 0.10, 3),
    "exponential, 10 ms": lambda rng, n: _exponential(rng, n, 10),
    "exponential, 30 ms, loss 1 %": lambda rng, n: _lost(_exponential(rng, n, 30), rng, 0.01, 1.001),
    "200 ms blocked every 3 s": _spikes,
    "sender 200 ppm slow": lambda rng, n: _exponential(rng, n, 0.2) + np.arange(n) * traces.FRAME_MS * 2e-4,
}


class Text(ctypes.Structure):
    """pj_str_t"""

    _fields_ = [("ptr", ctypes.c_char_p), ("size", ctypes.c_long)]


class Pjmedia:
    """The library of the wheel, and a pool."""

    def __init__(self) -> None:
        import pjsua2

        self.lib = ctypes.CDLL(str(next(Path(str(pjsua2.__file__)).parent.glob("_pjsua2*.so"))))
        self.lib.pj_log_set_level(0)
        assert self.lib.pj_init() == 0
        self._caching = ctypes.create_string_buffer(65536)
        policy = ctypes.c_char.in_dll(self.lib, "pj_pool_factory_default_policy")
        self.lib.pj_caching_pool_init(self._caching, ctypes.byref(policy), ctypes.c_size_t(0))
        self.lib.pj_pool_create.restype = ctypes.c_void_p
        self.pool = ctypes.c_void_p(
            self.lib.pj_pool_create(self._caching, b"jitter", ctypes.c_size_t(4096), ctypes.c_size_t(4096), None)
        )

    def run(self, delay: traces.Trace) -> Result:
        """Played every 20 ms from the moment of the first packet on."""
        lib, jitter = self.lib, ctypes.c_void_p()
        name = Text(b"jitter", 6)
        assert lib.pjmedia_jbuf_create(self.pool, ctypes.byref(name), 4, 20, 25, ctypes.byref(jitter)) == 0
        lib.pjmedia_jbuf_set_adaptive(jitter, 0, 1, 20)
        coming, n, k = traces.arrivals(delay), len(delay), 0
        out, kind, number = (ctypes.c_uint32 * 16)(), ctypes.c_char(), ctypes.c_uint32()
        place = ctypes.byref(number)
        waited, played = 0.0, 0
        for now in range(START + 10_000_000, START + n * 20_000_000 + 500_000_000, 20_000_000):
            while k < len(coming) and coming[k][0] <= now:
                number.value = coming[k][1]
                lib.pjmedia_jbuf_put_frame(jitter, place, ctypes.c_size_t(4), ctypes.c_int(coming[k][1]))
                k += 1
            lib.pjmedia_jbuf_get_frame(jitter, out, ctypes.byref(kind))
            if kind.value[0] == NORMAL:
                played += 1
                waited += (now - START) / 1e6 - out[0] * 20
        lib.pjmedia_jbuf_destroy(jitter)
        missing = 100 * (1 - played / n)
        return result(waited / max(1, played), missing, missing, 0.0)


def main() -> None:
    """The table."""
    peer, n = Pjmedia(), int(SECONDS * 1000 / traces.FRAME_MS)
    print(f"{'gaps in ms a minute, beyond what was lost; delay in ms':34} {'lost':>7} {'ours':>13} {'PJMEDIA':>13}")
    every = {**MADE, **traces.TRACES}
    for name, make in every.items():
        rows = []
        for seed in SEEDS:
            delay = make(np.random.default_rng([seed, *name.encode()]), n)
            delay = delay - np.nanmin(delay)
            lost = 100 * float(np.isnan(delay).mean())
            here, there = in_ticks(delay), peer.run(delay)
            rows.append((lost, here.gaps - lost, here.delay_ms, there.gaps - lost, there.delay_ms))
        lost, ours, delay_ms, theirs, their_ms = np.mean(rows, axis=0)
        found = f"{600 * ours:6.0f} {delay_ms:4.0f} ms {600 * theirs:6.0f} {their_ms:4.0f} ms"
        print(f"    {name:50} {600 * lost:7.0f} {found}")


if __name__ == "__main__":
    main()
