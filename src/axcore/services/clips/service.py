"""The clips of a device, and the one that plays (manual: Audio > Audio clips; VAPIX: Media clip API, MediaClip events).

One clip plays at a time: a new one takes the place of the old one. It mixes with what the siren plays. Where it is on
the disk is for ``files`` to know, how it sounds for the player. Methods that take ``tx`` are jobs of the ledger thread;
the others may be called from any thread.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from axcore.errors import ConflictError, InputError, LimitError, NotFoundError
from axcore.model import events
from axcore.model.clips import (
    FOLDER,
    MAX_CLIPS,
    MAX_GAIN_DB,
    MAX_NAME,
    MAX_REPEAT,
    MAX_STORED,
    MAX_VOLUME,
    MIN_GAIN_DB,
    AudioClip,
    Playing,
    StoredClip,
)
from axcore.model.events import NewEvent
from axcore.services.stored import changed
from axcore.services.users import Users, refuse_if_used

from . import delivered
from .files import ClipFiles
from .player import Load, NoPlayer, Player

if TYPE_CHECKING:
    from array import array

    from axcore.runtime.clock import Instant
    from axcore.runtime.ledger import Transaction

KIND = "clip"
DELIVERED = ("clips", "delivered")
"""Record: the delivered clips have been added once."""
SECOND_NS = 1_000_000_000
MOST_GAIN = 16.0
MAX_LOCATION = 256
OUTPUT = {"AudioOutput": "1", "audiodeviceid": "0", "audiooutputid": "0"}
"""Source of the events: there is one output."""
_NUMBER = re.compile(r"(?:MediaClip\.M)?([0-9]{1,4})", re.ASCII)


class ClipService:
    """The clips of one device."""

    def __init__(self, files: ClipFiles, submit: Callable[[Callable[[Transaction], Any]], object]) -> None:
        self.files = files
        self.silent: Callable[[], str] = lambda: ""
        """Why the device makes no sound now; empty = it does."""
        self._submit = submit
        self._player: Player = NoPlayer()
        self._clips: dict[int, StoredClip] = {}
        self.users = Users[AudioClip]()
        """Asked before a clip is removed."""
        self._playing: Playing | None = None
        self._round_ns: int | None = None
        self._number = 0

    # --- life

    def attach(self, player: Player) -> None:
        """Connect the loudspeaker."""
        self._player = player

    def load(self, tx: Transaction) -> None:
        """Read what is stored."""
        stored = [msgspec.json.decode(raw, type=StoredClip) for _, raw in tx.items(KIND)]
        self._clips = {clip.id: clip for clip in sorted(stored, key=lambda clip: clip.id)}

    def start_up(self, tx: Transaction) -> None:
        """Add what the device is delivered with, once; remove files that nothing names; tell that nothing plays."""
        if tx.get(*DELIVERED) is None:
            tx.put(*DELIVERED, b"1")
            for number, (tone, (name, _)) in enumerate(delivered.TONES.items()):
                if number not in self._clips:
                    seconds = delivered.seconds(tone)
                    clip = StoredClip(id=number, name=name, format="tone", seconds=seconds, source=f"tone:{tone}")
                    self._put(tx, clip)
        self.files.sweep([clip.source.removeprefix("file:") for clip in self._clips.values()])
        tx.publish(_playing_event(False))

    # --- what users see

    def clips(self) -> tuple[AudioClip, ...]:
        """Every clip, by number."""
        return tuple(self._clips.values())

    def clip(self, number: int) -> StoredClip:
        """One clip. NotFoundError (``clip``)."""
        try:
            return self._clips[number]
        except KeyError:
            raise NotFoundError("clip", f"there is no clip {number}") from None

    def find(self, text: str, field: str = "clip") -> StoredClip:
        """The clip of this number, name or location; any of those that a location with ``*`` means. NotFoundError."""
        wanted = text.strip()
        matched = self.matching(wanted)
        if matched:
            return random.choice(matched)
        raise NotFoundError(field, f"there is no clip {wanted[:MAX_NAME]!r}")

    def matching(self, text: str) -> list[StoredClip]:
        """All clips that ``text`` means (``find``): a number, a name, a location, or its last part."""
        clips = list(self._clips.values())
        if len(text) > MAX_LOCATION:
            return []
        number = _NUMBER.fullmatch(text)
        if number is not None and int(number[1]) in self._clips:
            return [self._clips[int(number[1])]]
        named = [clip for clip in clips if _key(clip.name) == _key(text)]
        if named or not text:
            return named
        pattern = text if text.startswith("/") else f"{FOLDER}/{text}"
        parts = re.escape(pattern).replace(r"\*", ".*") if pattern.count("*") <= 8 else "(?!)"
        return [clip for clip in clips if re.fullmatch(parts, clip.location)]

    @property
    def playing(self) -> Playing | None:
        """The clip that sounds."""
        return self._playing

    def samples(self, clip: StoredClip) -> array[int]:
        """What a clip sounds like, at 48 kHz; reads the disk. OSError, ValueError."""
        kind, _, name = clip.source.partition(":")
        if kind == "tone":
            return delivered.render(name)
        from axcore.audio.clips import read_au

        samples, rate = read_au(self.files.path(name).read_bytes())
        if rate != delivered.RATE:
            raise ValueError(f"has {rate} samples a second")
        return samples

    # --- changes

    def check_new(self, name: str = "", size: int = 0) -> None:
        """Whether another clip can be added. LimitError, InputError (``name``), ConflictError."""
        if len(self._clips) >= MAX_CLIPS:
            raise LimitError("clips", f"there are {MAX_CLIPS} clips already; remove one first")
        stored = sum(clip.size for clip in self._clips.values())
        if stored + size > MAX_STORED:
            raise LimitError("file", f"does not fit: clips may take {MAX_STORED // 1_000_000} MB together")
        if name:
            self._check_name(name)

    def add(self, tx: Transaction, file: str, size: int, *, name: str, seconds: float, kind: str) -> AudioClip:
        """Record a clip whose file is durable (``files.keep``). Errors as of ``check_new``."""
        self.check_new(name, size)
        number = next(number for number in range(MAX_CLIPS) if number not in self._clips)
        clip = StoredClip(
            id=number,
            name=self._check_name(name) if name else self._free_name(number),
            format=kind,
            seconds=seconds,
            source=f"file:{file}",
            size=size,
        )
        self._put(tx, clip)
        _tell(tx, clip, "add")
        return clip

    def change(self, tx: Transaction, number: int, *, name: str | None = None, gain: float | None = None) -> AudioClip:
        """Another name or gain (from the next time on). NotFoundError, InputError, ConflictError."""
        clip = self.clip(number)
        if name is not None:
            clip = msgspec.structs.replace(clip, name=self._check_name(name, clip.id))
        if gain is not None:
            if not MIN_GAIN_DB <= gain <= MAX_GAIN_DB:
                raise InputError("gain", f"must be {MIN_GAIN_DB:g}..{MAX_GAIN_DB:g} dB")
            clip = msgspec.structs.replace(clip, gain=float(gain))
        if clip != self._clips[number]:
            self._put(tx, clip)
            _tell(tx, clip, "update")
        return clip

    def remove(self, tx: Transaction, number: int) -> None:
        """Forget a clip. NotFoundError; ConflictError names what uses it."""
        clip = self.clip(number)
        refuse_if_used("clip", clip.name, self.users.of(clip))
        if self._playing is not None and self._playing.clip == number:
            self.stop(tx)
        tx.delete(KIND, str(number))
        tx.assign(self, "_clips", {key: other for key, other in self._clips.items() if key != number})
        if clip.source.startswith("file:"):
            tx.after_commit(partial(self.files.drop, self.files.path(clip.source.removeprefix("file:"))))
        _tell(tx, clip, "remove")

    def forget(self, file: str) -> None:
        """Remove a file, unless a job that is under way records it (any thread)."""

        def job(tx: Transaction) -> None:
            if all(clip.source != f"file:{file}" for clip in self._clips.values()):
                tx.after_commit(partial(self.files.drop, self.files.path(file)))

        self._submit(job)

    # --- playing

    def play(
        self,
        tx: Transaction,
        clip: StoredClip,
        *,
        volume: int = 100,
        repeat: int = 0,
        to_call: bool = False,
        owner: str | None = None,
        correlation: str | None = None,
    ) -> Playing:
        """Play a clip once and ``repeat`` times more (-1: until it is stopped). InputError, ConflictError (silent).

        ``to_call``: during a call the far side hears it too.
        """
        check_play(volume, repeat)
        if reason := self.silent():
            raise ConflictError("clip", f"cannot be played: {reason}")
        times, now = repeat + 1, tx.now.mono_ns
        gain = min(MOST_GAIN, volume / 100 * 10 ** (clip.gain / 20))
        length = round(clip.seconds * SECOND_NS)
        tx.assign(self, "_number", self._number + 1)
        playing = Playing(
            clip=clip.id,
            name=clip.name,
            since_ns=now,
            until_ns=now + times * length if times else None,
            owner=owner,
            number=self._number,
        )
        before = self._playing
        tx.assign(self, "_playing", playing)
        load: Load = partial(self.samples, clip)
        failed = partial(self._failed, playing)
        tx.after_commit(lambda: self._player.play_clip(load, gain, times, failed, to_call=to_call))
        if before is None:
            tx.publish(_playing_event(True, correlation))
        self._tell_round(tx, playing, correlation)
        return playing

    def stop(self, tx: Transaction, owner: str | None = None, correlation: str | None = None) -> bool:
        """Stop the clip that sounds, if there is one (and ``owner`` keeps it up); whether there was."""
        playing = self._playing
        if playing is None or (owner is not None and playing.owner != owner):
            return False
        tx.after_commit(self._player.stop_clip)
        self._end(tx, correlation)
        return True

    # --- time (a timer of the ledger)

    def next_deadline(self) -> int | None:
        playing = self._playing
        if playing is None:
            return None
        return min(t for t in (playing.until_ns, self._round_ns) if t is not None)

    def advance(self, tx: Transaction, now: Instant) -> None:
        playing = self._playing
        if playing is None:
            return
        if playing.until_ns is not None and playing.until_ns <= now.mono_ns:
            self._end(tx)
        elif self._round_ns is not None and self._round_ns <= now.mono_ns:
            self._tell_round(tx, playing)

    # --- inside

    def _put(self, tx: Transaction, clip: StoredClip) -> None:
        tx.put(KIND, str(clip.id), msgspec.json.encode(clip))
        clips = {**self._clips, clip.id: clip}
        tx.assign(self, "_clips", dict(sorted(clips.items())))

    def _end(self, tx: Transaction, correlation: str | None = None) -> None:
        tx.assign(self, "_playing", None)
        tx.publish(_playing_event(False, correlation))

    def _tell_round(self, tx: Transaction, playing: Playing, correlation: str | None = None) -> None:
        """A clip begins, or begins anew: told at most once a second, and the log keeps the first time."""
        clip = self._clips.get(playing.clip)
        length = SECOND_NS if clip is None else round(clip.seconds * SECOND_NS)
        rounds = max(1, -(-SECOND_NS // max(1, length)))
        first = playing.since_ns == tx.now.mono_ns
        name = f"MediaClip.M{playing.clip}.au"
        event = NewEvent(topic=events.CLIP_CURRENT, source=OUTPUT, data={"FileName": name}, correlation=correlation)
        tx.publish(event, lazy=not first, logged=first)
        tx.assign(self, "_round_ns", tx.now.mono_ns + rounds * max(1, length))

    def _failed(self, playing: Playing, reason: str) -> None:
        """The player could not (any thread)."""

        def job(tx: Transaction) -> None:
            fault = {"component": "clips", "reason": f"{playing.name}: {reason}"}
            tx.publish(NewEvent(topic=events.SYSTEM_FAULT, data=fault))
            if self._playing is not None and self._playing.number == playing.number:
                self._end(tx)

        self._submit(job)

    def _check_name(self, name: str, number: int | None = None) -> str:
        name = name.strip()
        if not 1 <= len(name) <= MAX_NAME or not name.isprintable():
            raise InputError("name", f"must be 1..{MAX_NAME} printable characters")
        if any(_key(clip.name) == _key(name) and clip.id != number for clip in self._clips.values()):
            raise ConflictError("name", f"there is a clip {name!r} already")
        return name

    def _free_name(self, number: int) -> str:
        name = f"Clip MediaClip.M{number}"
        taken = {_key(clip.name) for clip in self._clips.values()}
        return name if _key(name) not in taken else f"{name} ({number})"


def check_play(volume: int, repeat: int) -> None:
    """InputError (``volume``, ``repeat``)."""
    if not 0 <= volume <= MAX_VOLUME:
        raise InputError("volume", f"must be 0..{MAX_VOLUME} %")
    if not -1 <= repeat <= MAX_REPEAT:
        raise InputError("repeat", f"must be -1 (until stopped), or 0..{MAX_REPEAT}")


def _key(name: str) -> str:
    return name.strip().casefold()


def _playing_event(on: bool, correlation: str | None = None) -> NewEvent:
    data = {"Playing": "1" if on else "0"}
    return NewEvent(topic=events.CLIP_PLAYING, source=OUTPUT, data=data, is_property=True, correlation=correlation)


def _tell(tx: Transaction, clip: AudioClip, action: str) -> None:
    tx.publish(changed(KIND, str(clip.id), action, tx.actor))
