"""The questionnaire as its data file has it. A change of its questions is a new version."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("questions.json")


@dataclass(frozen=True)
class Question:
    code: str
    text: str
    # what to write as evidence
    evidence: str


@dataclass(frozen=True)
class Questionnaire:
    version: int
    questions: tuple[Question, ...]


@functools.cache
def questionnaire() -> Questionnaire:
    given = json.loads(FILE.read_text(encoding="utf-8"))
    return Questionnaire(given["version"], tuple(Question(**one) for one in given["questions"]))
