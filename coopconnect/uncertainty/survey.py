"""The cheapest improvement: five questions, what their answers teach, and what ten more would be worth.

Two shares decide the result and nobody knows them: how many residents use a hub within reach, and how many hub days
replace a drive to the office. Each has a Beta law fitted to the evidence; answers update it by Bayes' rule for counts
(Beta-Binomial). Only sums of the answers are kept.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import beta, binom

from coopconnect.dossier import SurveySums
from coopconnect.parameters import Parameters
from coopconnect.problem import Problem, ProblemsError, quoted
from coopconnect.uncertainty.laws import law_of, quantile

USE, REPLACE = "hub_share_reference", "substitution_reference"
INSTEAD = {
    "office": ("office", "bureau", "au bureau", "trajet", "drive", "entreprise"),
    "home": ("home", "maison", "domicile", "à la maison", "a la maison", "chez moi"),
    "other": ("other", "autre", "ailleurs", "rien", "nothing"),
}
MODES = {
    "car": ("car", "voiture", "voiture seul", "voiture seule", "auto"),
    "shared_car": ("shared_car", "covoiturage", "carpool"),
    "transit": ("transit", "bus", "car scolaire", "train", "transports", "transport en commun"),
    "foot_bike": ("foot_bike", "vélo", "velo", "à pied", "a pied", "bike", "walk", "marche"),
    "other": ("other", "autre"),
}
COLUMNS = ("hub_days", "instead", "home_work_km", "home_hub_km", "mode")
"""The five questions, in the order of a spreadsheet's columns."""

MOST_DAYS, MOST_KM = 7.0, 500.0
MOST_ANSWERS = 20_000
_GRID = 4_000
_NOTHING = 1e-9
"""Probability within a range under which a law cut to it is that range's nearer end."""
_DEGREE = 3
ENOUGH = 0.8
"""Part of what perfect knowledge is worth from which more answers are not worth asking."""
FORESEEN = (5, 10, 20, 40, 80, 160, 320)
"""Numbers of further answers of which the worth is worked out."""


class SurveyError(ProblemsError):
    """A spreadsheet of answers cannot be read: every problem, with its line."""


@dataclass(frozen=True)
class Answer:
    """One person's five answers; km None where not given. Never kept: `sums_of` makes sums of them."""

    hub_days: float
    instead: str
    home_work_km: float | None
    home_hub_km: float | None
    mode: str


def read_answers(name: str, content: bytes) -> list[Answer]:
    """Answers of a CSV or Excel file whose five first columns are `COLUMNS`, under any headings.

    Raises `SurveyError` with every line that cannot be read.
    """
    try:
        if Path(name).suffix.lower() in (".xlsx", ".xlsm"):
            table = pd.read_excel(io.BytesIO(content), dtype=str)
        else:
            text = _decoded(content)
            table = pd.read_csv(io.StringIO(text), sep=";" if text.count(";") > text.count("\t") else "\t" if "\t" in text else ",", dtype=str)  # fmt: skip
    except Exception:
        raise SurveyError(Problem("survey_table", name=Path(name).name)) from None
    if table.shape[1] < len(COLUMNS):
        raise SurveyError(Problem("survey_columns", name=Path(name).name, count=table.shape[1]))
    if len(table) > MOST_ANSWERS:
        raise SurveyError(Problem("survey_long", name=Path(name).name, most=MOST_ANSWERS, count=len(table)))
    answers: list[Answer] = []
    problems: list[Problem] = []
    for number, row in enumerate(table.iloc[:, : len(COLUMNS)].itertuples(index=False), 2):
        cells = ["" if pd.isna(cell) else str(cell).strip() for cell in row]
        if not any(cells):
            continue
        found, wrong = answer_of(cells, number)
        problems += wrong
        if found is not None:
            answers.append(found)
    if not answers and not problems:
        problems = [Problem("survey_empty", name=Path(name).name)]
    if problems:
        raise SurveyError(*problems)
    return answers


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252")


def answer_of(cells: Sequence[str], line: int = 0) -> tuple[Answer | None, list[Problem]]:
    """One answer from five texts in the order of `COLUMNS`, and everything that is wrong in them.

    line: told with each problem; 0 where there is no file. Without an answer there is at least one problem.
    """
    problems: list[Problem] = []

    def figure(k: int, most: float, needed: bool) -> float | None:
        text = cells[k].replace(",", ".").replace("\u202f", "")
        if not text and not needed:
            return None
        try:
            value = float(text) if text.isascii() else np.nan
        except ValueError:
            value = np.nan
        if not 0.0 <= value <= most:
            problems.append(Problem("between", COLUMNS[k], line, low=0.0, high=most, given=quoted(cells[k])))
            return None
        return value

    def word(k: int, allowed: dict[str, tuple[str, ...]], needed: bool) -> str:
        text = cells[k].casefold()
        for key, words in allowed.items():
            if text in words:
                return key
        if text or needed:
            both = ", ".join(f"{words[1]} ({words[0]})" for words in allowed.values())
            problems.append(Problem("choice", COLUMNS[k], line, allowed=both, given=quoted(cells[k])))
        return "other"

    days = figure(0, MOST_DAYS, needed=True)
    comes = bool(days)
    instead = word(1, INSTEAD, needed=comes)
    commute, access = figure(2, MOST_KM, needed=False), figure(3, MOST_KM, needed=False)
    mode = word(4, MODES, needed=False)
    return (None if problems or days is None else Answer(days, instead, commute, access, mode)), problems


def sums_of(answers: list[Answer], asked: str) -> SurveySums:
    """What is kept of answers. asked: 'users' or 'residents' (see `SurveySums`)."""
    users = [a for a in answers if a.hub_days > 0.0]

    def days(keep: list[Answer]) -> float:
        return float(sum(a.hub_days for a in keep))

    commute = [a for a in users if a.home_work_km is not None]
    access = [a for a in users if a.home_hub_km is not None]
    return SurveySums(
        asked, len(answers), len(users), days(users), float(sum(a.hub_days**2 for a in users)),
        days([a for a in users if a.instead == "office"]), days([a for a in users if a.mode == "car"]),
        float(sum(a.hub_days * (a.home_work_km or 0.0) for a in commute)), days(commute),
        float(sum(a.hub_days * (a.home_hub_km or 0.0) for a in access)), days(access),
    )  # fmt: skip


def added(first: SurveySums | None, more: SurveySums) -> SurveySums:
    """Two surveys asked of the same people's kind, taken together."""
    if first is None:
        return more
    if first.asked != more.asked:
        raise SurveyError(Problem("survey_apart", "asked"))
    names = [name for name in SurveySums.__dataclass_fields__ if name != "asked"]
    return SurveySums(first.asked, *(getattr(first, name) + getattr(more, name) for name in names))


def effective_answers(sums: SurveySums) -> float:
    """Kish's effective sample size: (sum of days)^2 / sum of days^2. The days of one person are no separate answers."""
    return sums.days**2 / sums.days_squared if sums.days_squared > 0.0 else 0.0


@dataclass(frozen=True)
class Belief:
    """A Beta law of a share: as many answers as a + b, of which a say yes."""

    key: str
    a: float
    b: float

    @property
    def mean(self) -> float:
        """Its mean."""
        return self.a / (self.a + self.b)

    def interval(self) -> tuple[float, float]:
        """From 5 to 95 %."""
        low, high = beta.ppf([0.05, 0.95], self.a, self.b)
        return float(low), float(high)

    @property
    def halving(self) -> int:
        """Further answers after which the standard deviation is half as large: var = m (1 - m) / (a + b + 1)."""
        return int(np.ceil(3.0 * (self.a + self.b + 1.0)))

    def updated(self, yes: float, answers: float) -> Belief:
        """Bayes' rule for counts: a + yes, b + no."""
        return Belief(self.key, self.a + yes, self.b + answers - yes)


def prior(key: str, parameters: Parameters) -> Belief:
    """Beta law with the mean and the variance of the law that the ensemble draws the parameter from."""
    peaks = parameters.value("ensemble_peak_known"), parameters.value("ensemble_peak_assumed")
    drawn = quantile(law_of(parameters[key], parameters.value(key), peaks), (np.arange(_GRID) + 0.5) / _GRID)
    mean, variance = float(drawn.mean()), float(drawn.var())
    weight = mean * (1.0 - mean) / variance - 1.0
    return Belief(key, mean * weight, (1.0 - mean) * weight)


def counts(sums: SurveySums, key: str) -> tuple[float, float]:
    """Answers that say yes, and all that count, for one of the two shares; (0, 0) where the survey teaches nothing.

    Users of a hub say nothing of how many use one.
    """
    if key == USE:
        return (float(sums.users), float(sums.answers)) if sums.asked == "residents" else (0.0, 0.0)
    answers = effective_answers(sums)
    return (answers * sums.replaced_days / sums.days, answers) if sums.days > 0.0 else (0.0, 0.0)


def posterior(key: str, sums: SurveySums, parameters: Parameters) -> Belief:
    """The prior updated by a survey."""
    return prior(key, parameters).updated(*counts(sums, key))


def learned(sums: SurveySums | None, parameters: Parameters) -> tuple[tuple[str, float, float], ...]:
    """(key, a, b) of the shares that the survey has updated, as `laws_of` takes them."""
    if sums is None:
        return ()
    found = [posterior(key, sums, parameters) for key in (USE, REPLACE) if counts(sums, key)[1] > 0.0]
    return tuple((belief.key, belief.a, belief.b) for belief in found)


def changed_values(sums: SurveySums, parameters: Parameters) -> dict[str, float]:
    """The posterior means that become assumptions of the scenario: of the law that is drawn, cut to the range of the evidence."""
    return {key: cut_mean(a, b, parameters[key].low, parameters[key].high) for key, a, b in learned(sums, parameters)}


def cut_mean(a: float, b: float, low: float, high: float) -> float:
    """Mean of a Beta law cut to [low, high]: a / (a + b) * P(low < X' < high) / P(low < X < high), X' ~ Beta(a + 1, b).

    The nearer end where the law has next to nothing between them.
    """
    inside = beta.cdf(high, a, b) - beta.cdf(low, a, b)
    if inside < _NOTHING:
        return float(np.clip(a / (a + b), low, high))
    return float(np.clip(a / (a + b) * (beta.cdf(high, a + 1.0, b) - beta.cdf(low, a + 1.0, b)) / inside, low, high))


@dataclass(frozen=True)
class Worth:
    """What knowing more is worth for one decision, in euros a year. now: of deciding today; answers: by number of
    further answers; one_share: of knowing the share itself; everything: of knowing all that is drawn."""

    now: float
    opens: bool
    answers: tuple[tuple[int, float], ...]
    one_share: float
    everything: float

    def of(self, number: int) -> float:
        """Worth of that many further answers."""
        return dict(self.answers)[number]

    @property
    def enough(self) -> int | None:
        """Fewest of the foreseen answers that bring `ENOUGH` of what knowing the share is worth; None if none does."""
        if self.one_share <= 0.0:
            return 0
        return next((n for n, worth in self.answers if worth >= ENOUGH * self.one_share), None)


def sample_worth(payoff: np.ndarray, share: np.ndarray, answers: int) -> float:
    """Expected value of sample information of `answers` yes-or-no answers about a share, in the unit of `payoff`.

    payoff: (draws,) of opening, nothing is gained or lost by not opening; share: (draws,) the share in each draw.
    For each possible number of yes x, draws are weighted by P(x | share): E[payoff | x] decides, and
    EVSI = sum over x of P(x) max(E[payoff | x], 0) - max(E[payoff], 0). Exact for the draws: no simulated answer.
    """
    outcomes = np.arange(answers + 1)
    likely = binom.pmf(outcomes[:, None], answers, share[None, :])
    gained = np.maximum(likely @ payoff, 0.0).sum() / payoff.size
    return float(max(gained - max(payoff.mean(), 0.0), 0.0))


def expected_given(payoff: np.ndarray, share: np.ndarray) -> np.ndarray:
    """E[payoff | share] in each draw, by least squares on a cubic of the share (Strong, Oakley and Brennan 2014).

    Answers tell of the payoff only through the share. The raw payoffs of draws of like shares differ by everything else
    that is drawn; with few draws, deciding on them would count that noise as knowledge.
    """
    spread = float(share.std())
    scaled = (share - share.mean()) / spread if spread > 0.0 else np.zeros_like(share)
    powers = np.vander(scaled, _DEGREE + 1)
    return np.asarray(powers @ np.linalg.lstsq(powers, payoff, rcond=None)[0])


def worth_of_answers(payoff: np.ndarray, share: np.ndarray) -> Worth:
    """What further answers about one share are worth for the decision 'open here, or not'.

    Of the share itself (EVPPI): mean of max(E[payoff | share], 0) less max(mean, 0). Of answers (EVSI): `sample_worth` of
    E[payoff | share]. Of all that is drawn (EVPI): mean of max(payoff, 0) less max(mean, 0).
    """
    now = float(payoff.mean())
    perfect = float(np.maximum(payoff, 0.0).mean() - max(now, 0.0))
    told = expected_given(payoff, share)
    limit = min(max(float(np.maximum(told, 0.0).mean() - max(told.mean(), 0.0)), 0.0), perfect)
    answers = tuple((n, min(sample_worth(told, share, n), limit)) for n in FORESEEN)
    return Worth(max(now, 0.0), now > 0.0, answers, limit, perfect)
