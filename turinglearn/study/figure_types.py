"""Types of the declarations of figures: kinds, directions, parts of names."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Better", "FigureName", "Measure", "MeasureKind", "Part"]


class Better(StrEnum):
    """Direction in which a figure improves."""

    LESS = "less"
    MORE = "more"
    NEITHER = "neither"


class MeasureKind(StrEnum):
    """Kinds of figures.

    REFERENCE is what a problem has by itself, such as the accuracy of the Bayes rule. PARAMETER, EXAMINATION and SAMPLE
    have one value for each parameter or cross-examiner, and the rows of a sample.
    """

    BIAS = "bias"
    VARIANCE = "variance"
    TOTAL = "total"
    QUALITY = "quality"
    REFERENCE = "reference"
    PARAMETER = "parameter"
    EXAMINATION = "examination"
    SAMPLE = "sample"
    COUNT = "count"


class Part(StrEnum):
    """Parts of a figure with an interval, by the ends of their names in a row."""

    VALUE = ""
    LOW = "_low"
    HIGH = "_high"
    STANDARD_ERROR = "_se"


@dataclass(frozen=True)
class Measure:
    """Declaration of a figure.

    Parameters
    ----------
    name : str
        Name in the rows of a store.
    title : str
        Label for a reader.
    unit : str
        Unit; "" for a pure number.
    kind : MeasureKind
        Kind of the figure.
    better : Better
        Direction in which it improves.
    meaning : str
        Sentence for the tables of a report; "" where `formula` says it.
    formula, source : str
        Formula and its reference; "" where there is none.
    bounds : (float, float)
        Least and largest possible value.
    parts : tuple of Part
        Parts that rows have: the value, the ends of an interval, the standard error.
    keyed : bool
        Whether rows have one value for each of several keys, as "name[key]".
    """

    name: str
    title: str
    unit: str
    kind: MeasureKind
    better: Better = Better.LESS
    meaning: str = ""
    formula: str = ""
    source: str = ""
    bounds: tuple[float, float] = (-math.inf, math.inf)
    parts: tuple[Part, ...] = (Part.VALUE,)
    keyed: bool = False

    def of(self, key: str) -> str:
        """Return the name of the value of one key in a row."""
        return f"{self.name}[{key}]"


@dataclass(frozen=True, slots=True)
class FigureName:
    """Name of a figure in a row, taken apart: its measure, its key ("" without one), and its part."""

    measure: Measure
    key: str = ""
    part: Part = Part.VALUE
