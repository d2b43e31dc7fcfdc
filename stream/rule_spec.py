"""What a user writes down about rules, whatever their kind: more of `stream.specs`."""

from typing import Literal, Self, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from stream.specs import Duration, Id, Labels, Number, Spec
from stream.types import Severity

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = get_args(Day)
"""In the order of `datetime.date.weekday`."""


class ScheduleWindow(Spec):
    """A part of the week."""

    days: tuple[Day, ...] = Field(
        DAYS, min_length=1, description="on which it begins: " + ", ".join(DAYS)
    )
    hours: str = Field(
        "00:00-24:00",
        pattern=r"^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$",
        description="from-to; where `to` is not later than `from`, it ends on the next day",
        json_schema_extra={"allowed": "HH:MM-HH:MM, as 22:00-06:00"},
    )


class ScheduleSpec(Spec):
    """When a rule is awake: in any of its windows, by the wall clock of its time zone."""

    timezone: str = Field("UTC", description="name in the IANA database, as Europe/Berlin")
    windows: tuple[ScheduleWindow, ...] = Field(
        min_length=1, max_length=50, description="parts of the week: {days, hours}"
    )

    @field_validator("timezone")
    @classmethod
    def _timezone_is_known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            text = "a name in the IANA time zone database, as Europe/Berlin or UTC"
            raise PydanticCustomError("allowed", text) from None
        return name


class ClipSpec(Spec):
    """How much of the picture an alert's clip shows."""

    model_config = ConfigDict(json_schema_extra={"allowed": "{before: 5s, after: 5s}"})

    before: Duration = Field(5.0, ge=0, le=60, description="before what opened the alert")
    after: Duration = Field(5.0, gt=0, le=60, description="after it")


class RuleSpec(Spec):
    """What all kinds of rules have in common."""

    id: Id = Field(description="name of the rule")
    kind: str = Field(description="what it looks for")
    cooldown: Duration = Field(
        0.0, ge=0, description="no new alert for so long after the last one ended"
    )
    severity: Severity = Field("warning", description="what the receiver is told")
    notify: tuple[Id, ...] = Field((), description="endpoints that get the alerts")
    schedule: ScheduleSpec | None = Field(
        None, description="when it is awake; outside, an open alert resolves; null: always"
    )
    clip: ClipSpec | None = Field(
        None, description="a short video of each alert is stored as well, as evidence; null: none"
    )


class StaySpec(Spec):
    """Lower thresholds for who counted a moment ago, so that nobody flickers at the edge of one."""

    score: Number | None = Field(None, ge=0, le=1, description="null: the rule's")
    area: Number | None = Field(None, ge=0, le=1, description="null: the rule's")
    overlap: Number | None = Field(None, gt=0, le=1, description="null: the rule's")


class SightingRuleSpec(RuleSpec):
    """What all kinds of rules have in common that look for somebody in the picture."""

    zone: Id | None = Field(None, description="the zone it watches; null: the whole frame")
    camera: Id | None = Field(None, description="the camera it watches; null: its zone's")
    ignore: tuple[Id, ...] = Field((), description="zones that are cut out of what it watches")
    labels: Labels | None = Field(None, description="the labels it counts; null: any")
    score: Number = Field(0.0, ge=0, le=1, description="lowest score that counts")
    area: Number = Field(
        0.0, ge=0, le=1, description="smallest mask that counts, as a part of the picture"
    )
    overlap: Number = Field(
        0.5,
        gt=0,
        le=1,
        description="part of the instance's mask that lies inside the zone",
    )
    stay: StaySpec = Field(
        StaySpec(), description="thresholds for who counted within the last 2 s; at most the above"
    )
    resolve: Duration = Field(
        2.0, ge=0, description="over for so long, an alert resolves; a shorter lapse is none"
    )

    @property
    def wanted(self) -> Labels | None:
        """All labels that it looks for; None for any."""
        return self.labels

    @model_validator(mode="after")
    def _stay_is_lower(self) -> Self:
        for name in StaySpec.model_fields:
            stay, enter = getattr(self.stay, name), getattr(self, name)
            if stay is not None and stay > enter:
                text = f"stay.{name}: given {stay:g}; allowed: at most {name}, which is {enter:g}"
                raise PydanticCustomError("fault", text)
        return self
