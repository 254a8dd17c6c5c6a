"""Sound: the echo canceller of a hands-free door station. Usable without the runtime.

    >>> from array import array
    >>> from axcore.audio import EchoCanceller
    >>> canceller = EchoCanceller(16000)
    >>> silence = array("h", bytes(2 * canceller.frame))
    >>> canceller.process(silence, silence) == silence
    True

Frames are 10 ms of one channel, as int16 or float32 (full scale 1.0), in anything that has a buffer: ``array``, numpy,
``memoryview``. Nothing here reads a clock or a device.
"""

from axcore.audio.echo import EchoCanceller

__all__ = ["EchoCanceller"]
