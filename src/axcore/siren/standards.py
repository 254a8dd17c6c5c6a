"""Warning signals of standards. ``source`` names the standard and where its timing was read: tone tables of two makers
and a building code quote it; the standards themselves were not read. ``timing_verified`` is False where a detail (the
order of tones, a pulse length) is from memory.
"""

from __future__ import annotations

from collections.abc import Mapping

from axcore.siren.program import Segment, Sound, Voice
from axcore.siren.shorthand import beep, glide, pulses, rest, steps

__all__ = ["STANDARD_SIGNALS"]

SIEMENS = "Siemens FDS229 and Cerberus tone tables"
BOSCH = "Bosch PRAESENSA alarm tone table"
ONTARIO = "Ontario Building Code, note A-3.2.4.18.(2)"
FS720 = "Siemens FS720 list of alarm tones"


def _signal(name: str, text: str, source: str, voice: Voice, verified: bool = True) -> Sound:
    return Sound(name=name, text=text, source=source, voices=(voice,), timing_verified=verified)


def _whoop(low: float, high: float, seconds: float, pause: float) -> Voice:
    return (Segment(seconds, low, high), rest(pause))


_ALL = (
    _signal("ISO 8201 T3", "evacuate: 3 x 0.5 s, pause 1.5 s", f"ISO 8201; {ONTARIO}; {SIEMENS}",
            pulses(3, beep(970, 0.5), 0.5, 1.5)),
    _signal("ISO 8201 T3 520 Hz", "the same, low and square: it wakes more sleepers", f"ISO 8201, NFPA 72; {FS720}",
            pulses(3, beep(520, 0.5, wave="square"), 0.5, 1.5)),
    _signal("T4 carbon monoxide", "4 x 0.1 s, pause 5 s", "NFPA 720, UL 2034; from memory",
            pulses(4, beep(3100, 0.1), 0.1, 5.0), False),
    _signal("DIN 33404-3", "1200 to 500 Hz in 1 s", f"DIN 33404-3; {SIEMENS}",
            (Segment(1.0, 1200, 500, attack=0.002, release=0.002),)),
    _signal("BS 5839 evacuate", "970 Hz, without a break", f"BS 5839-1:1988; {SIEMENS}", steps((970, 1.0))),
    _signal("BS 5839 alert", "950 Hz, 1 s on, 1 s off", f"BS 5839-1:1988; {SIEMENS}; pulse length from memory",
            (beep(950, 1.0), rest(1.0)), False),
    _signal("BS 5839 alternating", "800 and 970 Hz, 0.5 s each", "BS 5839-1; from memory",
            steps((800, 0.5), (970, 0.5)), False),
    _signal("BS fast sweep", "800 to 970 Hz, seven times a second", f"British fire tone; {FS720}",
            (*(Segment(0.142857, 800, 970, attack=0.002, release=0.002),) * 6,
             Segment(0.142858, 800, 970, attack=0.002, release=0.002))),
    _signal("NEN 2575 slow whoop", "500 to 1200 Hz in 3.5 s, pause 0.5 s", f"NEN 2575; {SIEMENS}",
            _whoop(500, 1200, 3.5, 0.5)),
    _signal("SS 03 17 11 imminent danger", "500 Hz, 0.15 s on, 0.10 s off", f"SS 03 17 11, no. 1; {SIEMENS}; {BOSCH}",
            (beep(500, 0.15), rest(0.10))),
    _signal("SS 03 17 11 local warning", "500 Hz, 0.15 s on, 0.60 s off", f"SS 03 17 11, no. 6; {SIEMENS}; {BOSCH}",
            (beep(500, 0.15), rest(0.60))),
    _signal("SS 03 17 11 all clear", "500 Hz, without a break", f"SS 03 17 11, no. 4; {SIEMENS}", steps((500, 1.0))),
    _signal("NF S 32-001", "560 Hz 0.1 s, 440 Hz 0.4 s", f"NF S 32-001:1975; {SIEMENS}; order from memory",
            steps((560, 0.1), (440, 0.4)), False),
    _signal("AS 2220 alert", "420 Hz, 0.60 s on, 0.65 s off", f"AS 2220:1978; {SIEMENS}; {BOSCH}",
            (beep(420, 0.60), rest(0.65))),
    _signal("AS 2220 action", "500 to 1200 Hz in 3.75 s, pause 0.25 s", f"AS 2220:1978; {SIEMENS}",
            _whoop(500, 1200, 3.75, 0.25)),
    _signal("AS 1670.4 alert", "420 Hz, 0.6 s on, 0.6 s off", f"AS 1670.4, ISO 7731; {BOSCH}",
            (beep(420, 0.6), rest(0.6))),
    _signal("NFPA whoop", "422 to 775 Hz in 0.85 s, pause 1.0 s", f"NFPA 72; {BOSCH}", _whoop(422, 775, 0.85, 1.0)),
    _signal("Industrial alarm", "150 to 1000 Hz in 10 s, 40 s steady, back in 10 s", f"Germany; {FS720}",
            (Segment(10.0, 150, 1000, attack=0.01, release=0.0), Segment(40.0, 1000, attack=0.0, release=0.0),
             Segment(10.0, 1000, 150, attack=0.0, release=0.01))),
    _signal("Wail", "500 to 1200 Hz and back in 6 s, without a break", "civil defence practice; from memory",
            glide((500, 3.0), (1200, 3.0)), False),
)  # fmt: skip

STANDARD_SIGNALS: Mapping[str, Sound] = {sound.name: sound for sound in _ALL}
"""By name."""
