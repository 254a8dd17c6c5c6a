"""``axcore audio process``: echo canceller and noise suppressor on two recordings, with a picture of what they did."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from axcore.errors import InputError
from axcore.interfaces.cli.output import CliError, add_json, print_json
from axcore.interfaces.cli.progress import progress
from axcore.interfaces.cli.wavfile import MOST, read_wav, write_wav

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Samples = NDArray[np.int16]

RATES = (8000, 16000, 32000, 48000)
RESAMPLED = {44100: 48000}
PICTURES = (".png", ".svg")
ACTIVE_DB = -50.0
"""The other side plays: power of 10 ms of the reference, dBFS."""
LITTLE_DB = 10.0
EXAMPLE = "axcore audio process mic.wav --ref loudspeaker.wav -o clean.wav --plot clean.png"


def configure(parser: argparse.ArgumentParser) -> None:
    """process."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    text = "take the echo of a loudspeaker out of a recording"
    process = actions.add_parser(
        "process",
        help=text,
        description=f"{text.capitalize()}. The result is aligned with IN: what the processing delays is taken back.",
        epilog=f"example: {EXAMPLE}",
        allow_abbrev=False,
    )
    process.add_argument("source", type=Path, metavar="IN.WAV", help="what the microphone heard")
    process.add_argument(
        "--ref", type=Path, metavar="REF.WAV", help="what the loudspeaker was given; default: the second channel of IN"
    )
    process.add_argument("-o", "--out", type=Path, metavar="OUT.WAV", required=True, help="16 bits, one channel")
    process.add_argument("--plot", type=Path, metavar="PICTURE", help="waveforms, ERLE, spectrograms: .png or .svg")
    process.add_argument(
        "--tail", type=int, default=200, metavar="MS", help="how long the room may ring (default: 200)"
    )
    process.add_argument(
        "--noise", type=float, default=0.0, metavar="DB", help="take noise down too, by so much at most (e.g. 30)"
    )
    process.add_argument("--filter-only", action="store_true", help="the adaptive filter without the suppressor")
    process.add_argument("--gain-control", action="store_true", help="bring the talker to -20 dBFS afterwards")
    add_json(process)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    if args.plot and args.plot.suffix.lower() not in PICTURES:
        raise CliError(f"{args.plot} is neither .png nor .svg", "give the picture one of these endings", 2)
    mic, ref, rate = _recordings(args)
    if args.noise and args.filter_only:
        raise CliError("--noise works on what the suppressor makes", "leave --filter-only or --noise away", 2)
    try:
        done = process(
            mic,
            ref,
            rate,
            tail_ms=args.tail,
            suppress=not args.filter_only,
            noise_db=args.noise,
            gain_control=args.gain_control,
        )
    except InputError as error:
        named = str(error).replace("tail_ms", "--tail").replace("max_attenuation_db", "--noise")
        raise CliError(named, "", 2) from error
    files = [args.out]
    try:
        write_wav(args.out, rate, done.out)
        if args.plot:
            from axcore.interfaces.cli.audio_plot import draw

            args.plot.write_bytes(draw(done, mic, ref, args.plot.suffix.lower()))
            files.append(args.plot)
    except OSError as error:
        raise CliError(f"{error.filename}: {error.strerror}", "choose a place that can be written to") from error
    _tell(args, done, [str(file) for file in files])
    return 0


class Processed(msgspec.Struct, kw_only=True):
    """What came out, and what was measured on the way: one value for 10 ms each."""

    rate: int
    out: Any
    """As long as the microphone's recording, aligned with it."""
    mic_db: Any
    ref_db: Any
    out_db: Any
    talking: Any
    """Somebody was heard at the microphone, as the suppressor saw it."""
    delay_ms: float | None
    drift_ppm: float
    latency_ms: float
    took_s: float

    @property
    def seconds(self) -> float:
        """Of the recording."""
        return len(self.out) / self.rate

    def erle_db(self, frames: slice = slice(None)) -> float | None:
        """Microphone over output in these frames, where the other side plays and nobody talks; None: nowhere."""
        import numpy as np

        alone = (self.ref_db[frames] > ACTIVE_DB) & ~self.talking[frames]
        if not alone.any():
            return None
        heard, left = (np.sum(10 ** (db[frames][alone] / 10)) for db in (self.mic_db, self.out_db))
        return float(10 * np.log10(heard / left))


def process(
    mic: Samples,
    ref: Samples,
    rate: int,
    *,
    tail_ms: int = 200,
    suppress: bool = True,
    noise_db: float = 0.0,
    gain_control: bool = False,
) -> Processed:
    """Echo canceller on recordings of one length; if asked for noise suppressor (``noise_db`` at most), gain control.

    InputError: ``tail_ms``, ``max_attenuation_db``.
    """
    import numpy as np

    from axcore.audio import EchoCanceller, GainControl, NoiseSuppressor

    canceller = EchoCanceller(rate, tail_ms=tail_ms, suppress=suppress)
    if noise_db:
        canceller.chain(NoiseSuppressor(rate, noise_db))
    judge = canceller if suppress else EchoCanceller(rate, tail_ms=tail_ms)  # The filter alone knows not who talks.
    gain = GainControl(rate) if gain_control else None
    frame, latency = canceller.frame, canceller.latency + (gain.latency if gain else 0)
    count = -(-(len(mic) + latency) // frame)
    padded = [np.concatenate([part, np.zeros(count * frame - len(part), np.int16)]) for part in (mic, ref)]
    out = np.empty(count * frame, np.int16)
    talking = np.zeros(count, bool)
    began = time.perf_counter()
    with progress("processing", count) as told:
        for k in range(count):
            at = slice(k * frame, (k + 1) * frame)
            canceller.process(padded[0][at], padded[1][at], out[at])
            if gain:
                gain.process(out[at], out[at])
            if judge is not canceller:
                judge.process(padded[0][at], padded[1][at])
            talking[k] = judge.talking
            if k % 100 == 0:
                told(k)
    took = time.perf_counter() - began
    result = out[latency : latency + len(mic)]
    whole = len(mic) // frame
    return Processed(
        rate=rate,
        out=result,
        mic_db=_power_db(mic, frame),
        ref_db=_power_db(ref, frame),
        out_db=_power_db(result, frame),
        talking=talking[:whole],
        delay_ms=canceller.delay_ms,
        drift_ppm=canceller.drift_ppm,
        latency_ms=latency * 1000 / rate,
        took_s=took,
    )


def _power_db(samples: Samples, frame: int) -> Any:
    import numpy as np

    whole = samples[: len(samples) // frame * frame].astype(np.float64).reshape(-1, frame) / 32768
    return 10 * np.log10(np.mean(np.square(whole), axis=1) + 1e-10)


def _recordings(args: argparse.Namespace) -> tuple[Samples, Samples, int]:
    """Microphone and reference, at one rate that the kernels know and of one length."""
    import numpy as np

    source = read_wav(args.source)
    if args.ref:
        other = read_wav(args.ref)
        ref, ref_rate = other.channels[0], other.rate
        for path, n in ((args.source, len(source.channels)), (args.ref, len(other.channels))):
            if n > 1:
                raise CliError(f"{path} has {n} channels", f"`sox {path} ONE.wav remix 1` takes the first", 2)
    elif len(source.channels) == 2:
        ref, ref_rate = source.channels[1], source.rate
    else:
        raise CliError("what the loudspeaker was given is missing", f"for example: {EXAMPLE}", 2)
    rate = RESAMPLED.get(source.rate, source.rate)
    mic, ref = _at_rate(source.channels[0], source.rate, rate, args.source), _at_rate(ref, ref_rate, rate, args.ref)
    if len(mic) < rate // 100:
        raise CliError(f"{args.source} is shorter than 10 ms", "give a longer recording", 2)
    if 2 * len(mic) > MOST:
        raise CliError(f"{args.source} is too long for a WAV file at {rate} Hz", "cut it into pieces", 2)
    return mic, np.concatenate([ref, np.zeros(max(0, len(mic) - len(ref)), np.int16)])[: len(mic)], rate


def _at_rate(samples: Samples, rate: int, target: int, path: Path) -> Samples:
    """Resampled, and aligned with what it was."""
    import numpy as np

    from axcore.audio import Resampler

    if target not in RATES or rate not in (*RATES, *RESAMPLED):
        hint = (
            f"`sox {path} -r 16000 OTHER.wav` makes one of 16000 Hz; {', '.join(map(str, RATES))} and 44100 are known"
        )
        raise CliError(f"{path} has {rate} samples a second", hint, 2)
    if rate == target:
        return samples
    converter = Resampler(rate, target)
    late = np.zeros(2 * rate // 10, np.int16)
    wanted = round(len(samples) * target / rate)
    converted: Samples = converter.process(np.concatenate([samples, late]))
    return converted[converter.latency : converter.latency + wanted]


def _tell(args: argparse.Namespace, done: Processed, files: list[str]) -> None:
    erle = done.erle_db()
    plays, talks = float((done.ref_db > ACTIVE_DB).mean()), float(done.talking.mean())
    if args.json:
        told = {
            "seconds": round(done.seconds, 3),
            "rate": done.rate,
            "erle_db": None if erle is None else round(erle, 1),
            "delay_ms": None if done.delay_ms is None else round(done.delay_ms, 1),
            "drift_ppm": round(done.drift_ppm, 1),
            "loudspeaker_share": round(plays, 3),
            "talker_share": round(talks, 3),
            "latency_ms": round(done.latency_ms, 2),
            "times_real": round(done.seconds / done.took_s, 1),
            "files": files,
        }
        print_json(told)
        return
    print(f"{done.seconds:.1f} s at {done.rate} Hz in {done.took_s:.2f} s: {' and '.join(files)}")
    print(f"loudspeaker plays   {plays:.0%} of the time; somebody talks {talks:.0%}")
    if erle is None:
        print("echo taken out      not known: the loudspeaker never plays while nobody talks")
    else:
        print(f"echo taken out      {erle:.1f} dB on average, where nobody talks")
    delay = "not found" if done.delay_ms is None else f"{done.delay_ms:.0f} ms"
    print(f"delay of the echo   {delay}; clocks differ by {done.drift_ppm:.0f} ppm")
    if plays > 0 and (erle is None or erle < LITTLE_DB):
        print("  little echo of REF is in IN: were they recorded together, and are they not exchanged?")
