"""Sound: echo canceller, noise suppressor, codecs, keys and tones, gain, level, rates, a door station's pipeline.

    >>> from array import array
    >>> from axcore.audio import G711, DtmfDetector, DtmfGenerator, EchoCanceller
    >>> canceller = EchoCanceller(16000)
    >>> silence = array("h", bytes(2 * canceller.frame))
    >>> canceller.process(silence, silence) == silence
    True
    >>> keys = DtmfGenerator("42#", rate=8000).samples()
    >>> [event.key for event in DtmfDetector(8000).feed(keys) if event.down]
    ['4', '2', '#']
    >>> bytes(G711("mu").encode(array("h", [0, 1000, -1000]))).hex()
    'ffce4e'

Samples are 16 bits (float32 of full scale 1.0 where it says so) of one channel, in anything that has a buffer:
``array``, numpy, ``memoryview``; the answer is an ``ndarray`` where one was given, else an ``array``. Nothing here
reads a clock or a device.
"""

from axcore.audio.codecs import G711, G722, G726, L16, Concealer
from axcore.audio.echo import EchoCanceller
from axcore.audio.gain import GainControl, Limiter, Mixer, VolumeControl
from axcore.audio.level import ComfortNoise, LevelDetector, LevelEvent, VoiceActivity
from axcore.audio.noise import NoiseSuppressor
from axcore.audio.opus import Opus
from axcore.audio.pipeline import Echo, Leg, Pipeline, PipelineEvent, PipelineStats, Room, What
from axcore.audio.resampler import Resampler
from axcore.audio.tones import DtmfDetector, DtmfEvent, DtmfGenerator, Tone

__all__ = [
    "G711",
    "G722",
    "G726",
    "L16",
    "ComfortNoise",
    "Concealer",
    "DtmfDetector",
    "DtmfEvent",
    "DtmfGenerator",
    "Echo",
    "EchoCanceller",
    "GainControl",
    "Leg",
    "LevelDetector",
    "LevelEvent",
    "Limiter",
    "Mixer",
    "NoiseSuppressor",
    "Opus",
    "Pipeline",
    "PipelineEvent",
    "PipelineStats",
    "Resampler",
    "Room",
    "Tone",
    "VoiceActivity",
    "VolumeControl",
    "What",
]
