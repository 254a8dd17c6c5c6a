"""The schedules that every device is delivered with. They cannot be removed; all but *Always* can be changed."""

from __future__ import annotations

from axcore.model.schedules import STANDARD_ALWAYS, STANDARD_OFFICE_HOURS, STANDARD_WEEKENDS, ScheduleSpec

DELIVERED = {
    STANDARD_ALWAYS: ScheduleSpec(
        name="Always", icalendar="DTSTART:19700101T000000 DTEND:19700102T000000 RRULE:FREQ=DAILY"
    ),
    STANDARD_OFFICE_HOURS: ScheduleSpec(
        name="Office hours",
        icalendar="DTSTART:20240101T080000 DTEND:20240101T170000 RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
    ),
    STANDARD_WEEKENDS: ScheduleSpec(
        name="Weekends", icalendar="DTSTART:20240106T000000 DTEND:20240107T000000 RRULE:FREQ=WEEKLY;BYDAY=SA,SU"
    ),
}
