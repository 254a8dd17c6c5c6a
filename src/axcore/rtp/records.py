"""A batch of packets as a numpy array of records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from axcore._native.rtp import RECORD, Batch

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


def records(batch: Batch) -> npt.NDArray[np.void]:
    """The headers of a batch, shape (n,), without copying; read only.

    Fields: ``timestamp``, ``ssrc``, ``sequence``, ``payload_at`` and ``payload_size`` (bytes into the packet),
    ``extension_at``, ``extension_size``, ``extension_profile``, ``payload_type``, ``marker``, ``csrc_count``,
    ``padding``. A malformed packet is a record of zeros: its ``payload_at`` is 0.
    """
    import numpy

    fields: Any = list(RECORD)
    data: Any = batch
    found: npt.NDArray[np.void] = numpy.frombuffer(data, dtype=numpy.dtype(fields))
    return found
