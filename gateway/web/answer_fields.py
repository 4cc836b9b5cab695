"""What fields of the published API hold: text in two languages, times, ids. And what ids in addresses may be.

Times are nanoseconds since 1970, UTC, unless the name ends in `_ms` or `_s`.
"""

from typing import Annotated, Literal

from fastapi import Path
from pydantic import Field

MOST_ID_CHARS = 200
Ns = Annotated[int, Field(description="Nanoseconds since 1970, UTC", examples=[1_767_225_600_000_000_000])]
NsOrNone = Annotated[int, Field(description="Nanoseconds since 1970, UTC; 0: not yet", examples=[0])]
TitleZh = Annotated[str, Field(description="Title in Chinese", examples=["1号塔机"])]
TitleEn = Annotated[str, Field(description="Title in English", examples=["Tower crane 1"])]
TextZh = Annotated[str, Field(description="In Chinese; empty when there is nothing to say", examples=["尚未调试"])]
TextEn = Annotated[str, Field(description="In English; empty: nothing to say", examples=["not commissioned"])]
AlarmIdText = Annotated[str, Field(description="The alarm's id", examples=["0f3a9c5e7b1d42688a90c1d2e3f40516"])]
AlarmIdOrEmpty = Annotated[str, Field(description="An alarm's id, or empty", examples=[""])]
RuleIdText = Annotated[str, Field(description="The rule's id", examples=["crane.moment.alarm"])]
RuleIdOrEmpty = Annotated[str, Field(description="A rule's id, or empty", examples=[""])]
AssetText = Annotated[str, Field(description="The asset's id", examples=["crane-1"])]
DeviceText = Annotated[str, Field(description="The device's id", examples=["crane-1-host"])]
PointText = Annotated[str, Field(description="The point's id", examples=["crane-1.moment_pct"])]
SubjectText = Annotated[str, Field(description="A point's or a device's id", examples=["crane-1.moment_pct"])]
UnitText = Annotated[str, Field(description="The unit, or empty", examples=["%"])]
UserText = Annotated[str, Field(description="Who, as the record holds it; empty: nobody", examples=["wang"])]
ReasonText = Annotated[str, Field(description="The reason that was given", examples=["已通知司机停机"])]
ErrorText = Annotated[str, Field(description="The last error; empty: none", examples=["timed out"])]
Sha256Text = Annotated[str, Field(description="SHA-256, hex; empty: none yet", examples=["9f86d081884c7d65"])]
DayText = Annotated[str, Field(description="A day of the site, ISO 8601", examples=["2026-01-31"])]
NameText = Annotated[str, Field(description="A name from the site file", examples=["regulator"])]
SeqInt = Annotated[int, Field(description="The number of the sealed record in the evidence chain", examples=[42])]
SeverityText = Annotated[Literal["P1", "P2", "P3", "log"], Field(description="P1 is the gravest; log never sounds")]
SourceText = Annotated[str, Field(description="Where the limit comes from", examples=["national_standard"])]
ClauseText = Annotated[str, Field(description="The clause of the source", examples=["GB 5144-2006 6.3.2"])]
CertaintyText = Annotated[str, Field(description="How sure the citation is, a code", examples=["V1"])]

AlarmId = Annotated[str, Path(max_length=MOST_ID_CHARS, description="The id of an alarm")]
AssetId = Annotated[str, Path(max_length=MOST_ID_CHARS, description="The id of an asset of the site file")]
SubjectId = Annotated[str, Path(max_length=MOST_ID_CHARS, description="The id of a device or a point")]
CameraId = Annotated[str, Path(max_length=MOST_ID_CHARS, description="The id of a camera of the site file")]
Sha256 = Annotated[str, Path(max_length=64, description="The SHA-256 of the file, hex")]
FileName = Annotated[str, Path(max_length=64, description="A day and an ending, such as 2026-11-22.pdf")]


OrderSeq = Annotated[str, Path(max_length=15, description="The number of the record that sealed the order")]
