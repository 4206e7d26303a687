"""What an ensemble says, in plain sentences."""

from __future__ import annotations

from collections.abc import Mapping

from coopconnect.parameters import Parameters
from coopconnect.show.words import euros, known, number, percent, say, with_unit
from coopconnect.uncertainty.laws import Law
from coopconnect.uncertainty.plans import CandidateFutures
from coopconnect.uncertainty.prim import Box, Limit
from coopconnect.uncertainty.site import SiteFutures
from coopconnect.uncertainty.survey import Worth

_PLAN_NAMES = ("nothing", "first", "half", "network")
_TOLD_EUR = 1.0
_SMALL_SHARE = 0.02
_LEAST_TOLD = 0.005
"""Shares nearer than this to none or to all would be rounded to them."""
_FEW_SHARE = 0.05
"""Part of the draws under which failures (or successes) are too few to say when they come."""
_DIGITS = 3
"""Digits of a limit of thousands: the draws do not tell it finer."""
_ELIDED = "aeiouyhàâéèêîôû"


def label_of(key: str, parameters: Parameters, language: str) -> str:
    """Name of what is drawn: that of its parameter."""
    return parameters[key].label(language) if key in parameters else say(f"lever.{key}", language)


def what_of(key: str, parameters: Parameters, language: str) -> str:
    """What is drawn, as one says it within a sentence."""
    if known(f"learn.what.{key}"):
        return say(f"learn.what.{key}", language)
    name = label_of(key, parameters, language)
    return name[:1].lower() + name[1:]


def value_of(key: str, value: float, parameters: Parameters, language: str) -> str:
    """A drawn value with its unit; shares as per cent."""
    unit = parameters[key].unit
    if unit == "share":
        return percent(value, language, 1 if abs(value) < _SMALL_SHARE else 0)
    whole = unit in ("desks", "places", "min") or abs(value) >= 100.0
    decimals = 0 if whole else 1 if abs(value) >= 10.0 else 2
    shown = number(value, language, decimals)
    return shown if unit == "ratio" else with_unit(value, unit, language, decimals)


def _rounded(value: float) -> float:
    return value if abs(value) < 10.0**_DIGITS else float(f"{value:.{_DIGITS}g}")


def _limit(limit: Limit, law: Law, parameters: Parameters, language: str) -> str:
    if limit.low is not None and limit.high is not None:
        low, high = (value_of(law.key, _rounded(end), parameters, language) for end in (limit.low, limit.high))
        return say("fails.between", language, what=label_of(law.key, parameters, language), low=low, high=high)
    side, end = ("below", limit.high) if limit.low is None else ("above", limit.low)
    shown = value_of(law.key, _rounded(float(end or 0.0)), parameters, language)
    key = f"fails.{law.key}.{side}"
    if known(key):
        return say(key, language, value=shown)
    return say(f"fails.{side}", language, what=label_of(law.key, parameters, language), value=shown)


def box_words(box: Box, laws: tuple[Law, ...], parameters: Parameters, language: str) -> str:
    """The limits of a box joined: 'moins de 40 % des jours ..., que le local coûte plus de ... et qu'un usager ...'."""
    limits = [_limit(limit, laws[limit.column], parameters, language) for limit in box.limits]
    joined = limits[0]
    for k, limit in enumerate(limits[1:], start=2):
        link = "fails.and" if k == len(limits) else "fails.comma"
        joined += say(f"{link}_elided" if limit[0].casefold() in _ELIDED else link, language) + limit
    return joined


def failing_sentence(site: SiteFutures, parameters: Parameters, language: str) -> str:
    """When the site fails, with how many failures that tells and how often it is right.

    Of one that never holds, what is missing in the best of futures; of one that fails nearly always, when it holds; of
    one that nearly never does, how often.
    """
    if site.always:
        return say("fails.never", language)
    if site.never:
        return _what_is_missing(site, language)
    held = round(site.p_viable * site.draws)
    few = min(held, site.draws - held) <= _FEW_SHARE * site.draws
    for key, box in (("fails.when", site.box), ("fails.holds", None if few else site.holds)):
        if box is not None:
            return say(
                key, language, limits=box_words(box, site.laws, parameters, language),
                coverage=percent(box.coverage, language), density=percent(box.density, language),
            )  # fmt: skip
    key = "fails.unclear" if not few else "fails.often" if held < site.draws - held else "fails.seldom"
    return say(key, language, held=held, failed=site.draws - held, draws=number(site.draws, language))


def _what_is_missing(site: SiteFutures, language: str) -> str:
    """Of a site that is viable in no future: users, where they never reach the core, else income."""
    if site.most_users < site.core:
        users = number(site.most_users, language, 1 if 0.05 <= site.most_users < 10.0 else 0)
        return say("fails.always_users", language, users=users, core=number(site.core, language))
    if site.most_covered < 1.0:
        return say("fails.always_income", language, share=percent(site.most_covered, language))
    return say("fails.always", language)


def tipping_note(site: SiteFutures, tips: Mapping[str, float], parameters: Parameters, language: str) -> str:
    """What a tipping point is, and why it is not the limit that the failing futures have for the same quantity.

    tips: where each quantity tips, all else at the reference case, by key.
    """
    told = [say("robust.tip_alone", language)]
    for limit in site.box.limits if site.box is not None else ():
        law, end = site.laws[limit.column], limit.low if limit.high is None else limit.high
        if law.key in tips and (limit.low is None or limit.high is None) and end is not None and site.box is not None:
            told.append(say(
                "robust.tip_box", language, value=value_of(law.key, _rounded(end), parameters, language),
                what=label_of(law.key, parameters, language), density=percent(site.box.density, language),
            ))  # fmt: skip
    return " ".join(told)


def learn_sentence(site: SiteFutures, parameters: Parameters, language: str) -> str:
    """The one thing worth finding out, and how much of the doubt would go; nothing where the answer is always the same."""
    if site.always or site.never:
        return say("learn.no_matter", language)
    if site.learn is None:
        return say("learn.nothing", language)
    share = percent(min(max(site.learn.first, 0.0), 1.0), language)
    return say("learn.first", language, what=what_of(site.learn.key, parameters, language), share=share)


def candidate_name(name: str, language: str) -> str:
    """Name of a plan that was compared: one of ours in the language, a title as it was written."""
    return say(f"plans.{name}", language) if name in _PLAN_NAMES else name


def plans_sentence(plans: tuple[CandidateFutures, ...], language: str) -> str:
    """Which plan is least regretted on average, and which has the smallest of the largest regrets."""
    mean = min(plans, key=lambda plan: plan.regret_eur)
    worst = min(plans, key=lambda plan: plan.regret_worst_eur)
    said = say(
        "plans.least", language, name=candidate_name(mean.name, language), eur=euros(mean.regret_eur, language),
        best=percent(mean.p_best, language),
    )  # fmt: skip
    if worst.name == mean.name:
        return f"{said} {say('plans.both', language, eur=euros(worst.regret_worst_eur, language))}"
    more = say("plans.worst_least", language, name=candidate_name(worst.name, language), eur=euros(worst.regret_worst_eur, language))  # fmt: skip
    return f"{said} {more}"


def headline(site: SiteFutures, language: str) -> str:
    """'Viable dans 62 % des futurs ; premier dans 41 % ; parmi les dix premiers dans 70 %.'"""
    key = "never" if site.never else "always" if site.always else "viable"
    first = say(f"robust.headline.{key}", language, viable=_part(site.p_viable, language))
    place = "nowhere" if site.p_top10 == 0.0 else "never_first" if site.p_first == 0.0 else "places"
    shares = {"first": _part(site.p_first, language), "top": _part(site.p_top10, language)}
    return f"{first}{say(f'robust.headline.{place}', language, **shares)}"


def _part(share: float, language: str) -> str:
    """A share that is neither none nor all, never written as 0 or 100 %."""
    if 0.0 < share <= _LEAST_TOLD:
        return say("robust.under", language, share=percent(2.0 * _LEAST_TOLD, language))
    if 1.0 - _LEAST_TOLD <= share < 1.0:
        return say("robust.over", language, share=percent(1.0 - 2.0 * _LEAST_TOLD, language))
    return percent(share, language)


def worth_sentence(worths: Mapping[tuple[str, str], Worth], eur_per_hour: float, language: str) -> str:
    """What the next ten answers are worth to society and whom to ask, with the number that is enough.

    worths: by share and payoff, euros a year; eur_per_hour: value of an hour, to say the euros in hours.
    """
    of_society = {key: worth for (key, name), worth in worths.items() if name == "net_benefit_eur_per_year"}
    if not of_society:
        return ""
    key, best = max(of_society.items(), key=lambda item: item[1].of(10))
    decision = say("survey.opens" if best.opens else "survey.waits", language)
    if best.of(10) < _TOLD_EUR:
        return say("survey.ten_nothing", language, decision=decision)
    told = say(
        f"survey.ten_{key}", language, eur=euros(best.of(10), language), decision=decision,
        hours=number(best.of(10) / eur_per_hour, language),
    )  # fmt: skip
    if best.enough is None:
        return told
    return f"{told} {say('survey.ten_enough', language, count=number(best.enough, language))}"
