"""Whatever comes in, what goes out is finite, bounded and the same again."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from axcore.audio import EchoCanceller

PIECES = st.lists(
    st.tuples(
        st.sampled_from(["silence", "noise", "constant", "square", "click", "tiny"]),
        st.sampled_from(["silence", "noise", "constant", "square", "click", "tiny", "echo"]),
        st.floats(0, 8, width=32),
        st.integers(1, 30),
    ),
    min_size=1,
    max_size=6,
)


def piece(kind: str, level: float, n: int, rng: np.random.Generator) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    made = {
        "silence": lambda: np.zeros(n),
        "noise": lambda: rng.uniform(-level, level, n),
        "constant": lambda: np.full(n, level),
        "square": lambda: level * (1 - 2.0 * (np.arange(n) // 7 % 2)),
        "click": lambda: np.where(np.arange(n) == n // 2, level, 0.0),
        "tiny": lambda: rng.uniform(-1e-38, 1e-38, n),
    }[kind]()
    return np.clip(made, -8, 8).astype(np.float32)


@settings(max_examples=40, deadline=None)
@given(PIECES, st.sampled_from([8000, 16000, 48000]), st.booleans(), st.integers(0, 2**32 - 1))
def test_any_sound(pieces: list[tuple[str, str, float, int]], rate: int, suppress: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    one, two = EchoCanceller(rate, suppress=suppress), EchoCanceller(rate, suppress=suppress)
    frame = one.frame
    for far_kind, mic_kind, level, count in pieces:
        far = piece(far_kind, level, count * frame, rng)
        mic = 0.5 * far if mic_kind == "echo" else piece(mic_kind, level, count * frame, rng)
        for at in range(0, count * frame, frame):
            m, r = mic[at : at + frame], far[at : at + frame]
            out = np.frombuffer(one.process(m, r), np.float32)
            assert np.isfinite(out).all()
            assert np.abs(out).max() < 400
            assert np.array_equal(out, np.frombuffer(two.process(m, r), np.float32))
    assert np.isfinite([one.erle_db, one.drift_ppm]).all()
