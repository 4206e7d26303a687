"""What one site's sheet says beyond the table of sites: the page, the workbook and the printed arguments read it here.

Everything takes an assessed site (a row of `Assessment.sites`) or runs the model on that site alone, which takes some
milliseconds. Words and pictures are made elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from coopconnect.model import impact
from coopconnect.model.assessment import around_site, assess, response
from coopconnect.model.calibration import calibration_for
from coopconnect.model.choice import Values, eligible_share, hub_days_per_user, within_reach
from coopconnect.model.runs import Run, run_kernel, site_results, surroundings
from coopconnect.model.types import Assessment, Calibration
from coopconnect.model.viability import break_even_users, cost_parts_eur, desks, yearly_cost_eur
from coopconnect.parameters import Parameters
from coopconnect.scenario import COMPONENTS, PREMISES, Scenario, parameter_values
from coopconnect.territory.types import Territory


@dataclass(frozen=True)
class Span:
    """A central value between a low and a high, in the unit of what it measures."""

    low: float
    value: float
    high: float


def span(site: pd.Series, name: str) -> Span:
    """A ranged figure of a site (one of `types.RANGED`) with its low and high."""
    return Span(float(site[f"{name}_low"]), float(site[name]), float(site[f"{name}_high"]))


# --- score and rank -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ScorePart:
    """One component's part of the score. points: weight * component, so that the parts sum to the score.

    component: one of `COMPONENTS`; weight_share: 0 to 1; raw: the component itself, 0 to 100; most: points that it
    could bring at 100.
    """

    component: str
    weight_share: float
    raw: Span
    points: Span
    most: float


def waterfall(site: pd.Series, scenario: Scenario) -> tuple[ScorePart, ...]:
    """The score of a site taken apart, in the order of `COMPONENTS`: points = component * weight / sum of weights.

    The central points sum to the score. Lows and highs do not sum to those of the score: the assumptions that move
    the components are counted once for the score.
    """
    weights = scenario.weights()
    parts = []
    for name, weight in zip(COMPONENTS, weights, strict=True):
        share, raw = weight / sum(weights), span(site, f"component_{name}")
        points = Span(raw.low * share, raw.value * share, raw.high * share)
        parts.append(ScorePart(name, share, raw, points, 100.0 * share))
    return tuple(parts)


@dataclass(frozen=True)
class Standing:
    """Place of a site in the ranking. rank, best, worst: 1 is best, 0 where the site is not available.

    tied_with: other sites that the uncertainty does not tell apart from it; before, after: codes of its neighbours
    in the ranking, '' at the ends.
    """

    rank: int
    best: int
    worst: int
    sites: int
    tied_with: int
    before: str
    after: str


def standing(assessment: Assessment, site_code: str) -> Standing:
    """Rank of a site among the available ones, its ties and its neighbours. KeyError where there is no such site."""
    sites = assessment.sites
    site = _row(assessment, site_code)
    ranked = sites[sites["rank"] > 0].sort_values("rank", kind="stable")
    codes = ranked["zone_code"].tolist()
    place = int(site["rank"])
    same = int((ranked["tie_group"] == site["tie_group"]).sum()) - 1 if place else 0
    before = codes[place - 2] if place > 1 else ""
    after = codes[place] if 0 < place < len(codes) else ""
    return Standing(place, int(site["rank_low"]), int(site["rank_high"]), len(codes), same, before, after)


def _row(assessment: Assessment, site_code: str) -> pd.Series:
    site = assessment.site(site_code)
    if site is None:
        raise KeyError(f"no site {site_code!r} in territory {assessment.territory_code}")
    return site


@dataclass(frozen=True)
class Verdict:
    """Is this one serious? level: 'no' (a condition fails), 'fragile' (it holds, but not at the low end), 'yes'.

    weak: what fails, worst first, of 'refused', 'adds_driving', 'users', 'viability', 'users_low', 'viability_low';
    strong: what holds over the whole range, of 'users', 'viability', 'hours'. missing_eur_per_year: what income
    lacks to cover the cost, 0 where it does.
    """

    level: str
    weak: tuple[str, ...]
    strong: tuple[str, ...]
    missing_eur_per_year: float


def verdict(site: pd.Series, core_users: float) -> Verdict:
    """Judge a site by its conditions alone: a host, no driving added, enough users, income that covers the cost."""
    users, ratio, hours = (span(site, name) for name in ("users", "viability", "hours_per_year"))
    failing = {
        "refused": not bool(site["available"]),
        "adds_driving": bool(site["red_flag"]),
        "users": users.value < core_users,
        "viability": ratio.value < 1.0,
    }
    thin = {
        "users_low": users.low < core_users <= users.value,
        "viability_low": ratio.low < 1.0 <= ratio.value,
    }
    holding = {"users": users.low >= core_users, "viability": ratio.low >= 1.0, "hours": hours.low > 0.0}
    level = "no" if any(failing.values()) else "fragile" if any(thin.values()) else "yes"
    weak = tuple(name for name, true in {**failing, **thin}.items() if true)
    missing = max(0.0, (1.0 - ratio.value) * float(site["yearly_cost_eur"]))
    return Verdict(level, weak, tuple(name for name, true in holding.items() if true), missing)


# --- money --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CostParts:
    """Yearly cost of a site, in euros: running, investment (annuity), telepresence room."""

    running_eur: float
    investment_eur: float
    telepresence_eur: float

    @property
    def total_eur(self) -> float:
        """What the site costs a year."""
        return self.running_eur + self.investment_eur + self.telepresence_eur


def cost_parts(desk_count: float, scenario: Scenario, parameters: Parameters) -> CostParts:
    """What the yearly cost of a site of so many desks is made of."""
    parts = cost_parts_eur(np.array([desk_count]), scenario, parameter_values(scenario, parameters))
    return CostParts(*(float(part[0]) for part in parts))


def viability_ratio(hub_days_per_year: float, scenario: Scenario, parameters: Parameters) -> float:
    """(revenue + contribution) / cost of a site that sells so many days a year; 1 = break-even."""
    values = parameter_values(scenario, parameters)
    cost = yearly_cost_eur(desks(np.array([hub_days_per_year]), values), scenario, values)
    return (hub_days_per_year * scenario.day_price_eur + scenario.council_contribution_eur_per_year) / float(cost[0])


CURVE_STEP_USERS = 0.5
"""Step of the curve of users: that of `viability.break_even_users`, so that both give the same answer."""


@dataclass(frozen=True, eq=False)
class BreakEven:
    """Income and cost of one site along its users or the price of a day.

    table: `value` (users, or EUR a day), `users`, `desks`, `income_eur`, `cost_eur`. crossing: the smallest value at
    which income covers the cost, infinite where none in the table does. now: the site's own value, in the scenario.
    """

    table: pd.DataFrame
    crossing: float
    now: Span


def break_even_by_users(site: pd.Series, scenario: Scenario, parameters: Parameters) -> BreakEven:
    """Income and cost against the number of users, with the steps of the desks.

    income = users * days a year each * day price + contribution; the cost is that of the desks that so many users
    need. The crossing is `viability.break_even_users`, wherever the table ends.
    """
    values = parameter_values(scenario, parameters)
    per_user = hub_days_per_user(scenario, values)
    crossing = break_even_users(per_user, scenario, values)
    now = span(site, "users")
    reach = max(1.25 * now.high, 1.4 * crossing if np.isfinite(crossing) else 0.0, 2.0 * values["core_users_gate"])
    users = np.arange(0.0, reach + CURVE_STEP_USERS, CURVE_STEP_USERS)
    days = users * per_user
    desk_count = desks(days, values)
    table = pd.DataFrame({
        "value": users, "users": users, "desks": desk_count,
        "income_eur": days * scenario.day_price_eur + scenario.council_contribution_eur_per_year,
        "cost_eur": yearly_cost_eur(desk_count, scenario, values),
    })  # fmt: skip
    return BreakEven(table, crossing, now)


def break_even_by_price(
    territory: Territory, scenario: Scenario, parameters: Parameters, site_code: str, home: Territory | None = None,
    step_eur: float = 0.5,
) -> BreakEven:  # fmt: skip
    """Income and cost against the price of a day, over the bounds of the lever; a dearer day loses users.

    The crossing is taken on the grid of `step_eur`. Income may rise, then fall: a site may break even between two
    prices only.
    """
    low, high = parameters["day_price_eur"].bounds()
    prices = np.union1d(np.arange(low, high + step_eur / 2.0, step_eur), [scenario.day_price_eur])
    found = response(territory, scenario, parameters, site_code, "day_price_eur", prices, home)
    table = pd.DataFrame({
        "value": found["value"], "users": found["users"], "desks": found["desks"],
        "income_eur": found["revenue_eur_per_year"] + found["contribution_eur_per_year"],
        "cost_eur": found["yearly_cost_eur"],
    })  # fmt: skip
    enough = np.flatnonzero((table["income_eur"] >= table["cost_eur"]).to_numpy())
    crossing = float(table["value"].iloc[enough[0]]) if enough.size else float("inf")
    price = scenario.day_price_eur
    return BreakEven(table, crossing, Span(price, price, price))


def site_alone(
    territory: Territory, scenario: Scenario, parameters: Parameters, site_code: str, home: Territory | None = None
) -> pd.Series:
    """The row of `Assessment.sites` of one site, with all its ranges, without the others (so without its rank).

    The same figures as in `assess` of the whole territory. KeyError where no site has this code.
    """
    cut = around_site(territory, site_code)
    found = assess(cut, scenario, parameters, home or territory).site(site_code)
    if found is None:
        raise KeyError(f"no site {site_code!r} in territory {territory.code}")
    return found


@dataclass(frozen=True)
class PremisesCase:
    """One site in one kind of premises, 'shared' or 'own'; break_even_users is infinite where there is none."""

    premises: str
    parts: CostParts
    cost_eur: Span
    viability: Span
    break_even_users: float
    balance_eur_per_year: float


@dataclass(frozen=True)
class PremisesComparison:
    """A shared room against premises of one's own, same site, same users. saving: own cost less shared cost.

    drawn: draws of which 5 and 95 % are the lows and highs; 0 where they are the ends of assumptions.
    """

    shared: PremisesCase
    own: PremisesCase
    saving_eur_per_year: float
    drawn: int = 0


def premises_comparison(
    territory: Territory, scenario: Scenario, parameters: Parameters, site_code: str, home: Territory | None = None
) -> PremisesComparison:
    """What a shared room costs and what premises of one's own would, all else equal.

    balance = revenue + contribution - yearly cost. The saving is also what it costs to be refused a room and to rent
    or build instead.
    """
    cases = []
    for premises in PREMISES:
        moved = scenario.with_values(premises=premises)
        values = parameter_values(moved, parameters)
        site = site_alone(territory, moved, parameters, site_code, home)
        cost = span(site, "yearly_cost_eur")
        income = float(site["revenue_eur_per_year"] + site["contribution_eur_per_year"])
        cases.append(
            PremisesCase(
                premises, cost_parts(float(site["desks"]), moved, parameters), cost, span(site, "viability"),
                break_even_users(hub_days_per_user(moved, values), moved, values), income - cost.value,
            )
        )  # fmt: skip
    shared, own = cases
    return PremisesComparison(shared, own, own.cost_eur.value - shared.cost_eur.value)


# --- a refusal ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RefusalCost:
    """The best available commune that draws the same people, and what going there loses (negative: it does better)."""

    substitute_code: str
    substitute_name: str
    hours_lost_per_year: float
    score_lost: float
    users_lost: float


def refusal_cost(assessment: Assessment, site_code: str) -> RefusalCost | None:
    """What is lost where every host of a site refuses: against the best site that shares homes with it.

    None where no other available site shares any. KeyError where there is no such site.
    """
    sites, site = assessment.sites, _row(assessment, site_code)
    row = int(np.flatnonzero((sites["zone_code"] == site_code).to_numpy())[0])
    homes = np.unique(assessment.access_zone[assessment.access_site == row])
    sharing = np.unique(assessment.access_site[np.isin(assessment.access_zone, homes)])
    others = sites.iloc[sharing]
    others = others[others["available"] & (others["zone_code"] != site_code)]
    if others.empty:
        return None
    best = others.loc[others["score"].idxmax()]
    lost = (float(site[name]) - float(best[name]) for name in ("hours_per_year", "score", "users"))
    return RefusalCost(str(best["zone_code"]), str(best["name"]), *lost)


# --- telepresence -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class TelepresenceTrigger:
    """How a site answers the price of telepresence.

    table: `value` (EUR a month, ascending), `permission_share` (share of employers that allow remote work),
    `eligible_share` (of employed residents), `users`, `viability`, `yearly_cost_eur`, `income_eur`.
    threshold_eur_per_month: at or below it the room is installed and permission rises; installed: so in the scenario.
    without, with_room: rows of the table just above the threshold, and at it.
    """

    table: pd.DataFrame
    threshold_eur_per_month: float
    installed: bool
    without: pd.Series
    with_room: pd.Series

    @property
    def extra_balance_eur_per_year(self) -> float:
        """Income gained less cost added by the room at the threshold price; negative: the room does not pay."""
        a, b = self.without, self.with_room
        return float((b["income_eur"] - a["income_eur"]) - (b["yearly_cost_eur"] - a["yearly_cost_eur"]))


_ABOVE_THRESHOLD_EUR = 0.01


def telepresence_trigger(
    territory: Territory, scenario: Scenario, parameters: Parameters, site_code: str, home: Territory | None = None
) -> TelepresenceTrigger:
    """Permission, users and viability along the price of a telepresence room, with the step at its threshold.

    The prices are those of the lever by its step, and both sides of the threshold (a parameter that the scenario may
    change).
    """
    lever = parameters["telepresence_price_eur_per_month"].lever
    low, high = parameters["telepresence_price_eur_per_month"].bounds()
    step = lever.step if lever else (high - low) / 20.0
    values = parameter_values(scenario, parameters)
    threshold = values["telepresence_threshold_eur_per_month"]
    above = threshold + _ABOVE_THRESHOLD_EUR
    prices = np.union1d(np.arange(low, high + step / 2.0, step), [threshold, above])
    found = response(territory, scenario, parameters, site_code, "telepresence_price_eur_per_month", prices, home)
    calibration = calibration_for(home or territory, parameters, scenario.changed)
    eligible = [
        eligible_share(scenario.with_values(telepresence_price_eur_per_month=float(p)), calibration, values)
        for p in found["value"]
    ]
    table = pd.DataFrame({
        "value": found["value"], "permission_share": np.array(eligible) / values["teleworkable_share"],
        "eligible_share": eligible, "users": found["users"], "viability": found["viability"],
        "yearly_cost_eur": found["yearly_cost_eur"],
        "income_eur": found["revenue_eur_per_year"] + found["contribution_eur_per_year"],
    })  # fmt: skip
    at = int(np.flatnonzero(table["value"] == threshold)[0])
    installed = scenario.telepresence_price_eur_per_month <= threshold
    return TelepresenceTrigger(table, threshold, installed, table.iloc[at + 1], table.iloc[at])


# --- who comes ----------------------------------------------------------------------------------------------------


def home_communes(assessment: Assessment, territory: Territory, site_code: str, top: int = 10) -> pd.DataFrame:
    """Where the users of a site live, most users first, at most `top` communes.

    Columns: `zone_code`, `name`, `drive_min` (one way), `users`, `users_share` (of the site's), `hours_per_year`
    (kept by them; negative when they lose time). KeyError where there is no such site.
    """
    _row(assessment, site_code)
    row = int(np.flatnonzero((assessment.sites["zone_code"] == site_code).to_numpy())[0])
    reached = within_reach(territory, assessment.scenario.access_max_min).territory
    pairs = np.flatnonzero(assessment.access_site == row)
    zones = territory.zones.iloc[assessment.access_zone[pairs]]
    users = assessment.pair_users[pairs]
    total = float(users.sum())
    table = pd.DataFrame({
        "zone_code": zones["zone_code"].to_numpy(object), "name": zones["name"].to_numpy(object),
        "drive_min": reached.access_drive_min[pairs].astype(float), "users": users,
        "users_share": users / total if total > 0.0 else np.zeros_like(users),
        "hours_per_year": assessment.pair_hours[pairs],
    })  # fmt: skip
    found = table.sort_values(["users", "drive_min"], ascending=[False, True], kind="stable")
    return found.head(top).reset_index(drop=True)


def travel_of(assessment: Assessment, territory: Territory, parameters: Parameters, site_code: str) -> impact.Sums:
    """Days, minutes and km a year behind the hours, euros and kg of one site, each (1,): the site's run alone.

    `impact.hours` and `impact.vehicle_km` of them are the site's figures. KeyError where there is no such site.
    """
    scenario = assessment.scenario
    prepared = within_reach(around_site(territory, site_code), scenario.access_max_min)
    return run_kernel(prepared, scenario, assessment.calibration, parameter_values(scenario, parameters)).sites


# --- beside hubs that exist ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class BesideExisting:
    """A new hub where others exist already. Users and hours a year.

    alone: as if no hub existed; beside: users of the new hub when people may also choose the existing ones;
    taken_users: users that it takes from them; added_users, added_hours, added_kg_co2e: what all hubs together gain
    by its opening; existing_users: users of the existing hubs among the same homes, before it opens;
    shared_users: its users if all hubs had only the people of the best of them, each its part; viability_alone,
    viability_beside, viability_shared: (revenue + contribution) / cost of the new hub.
    """

    existing_codes: tuple[str, ...]
    alone_users: float
    beside_users: float
    taken_users: float
    added_users: float
    added_hours_per_year: float
    alone_hours_per_year: float
    added_kg_co2e_per_year: float
    existing_users: float
    viability_alone: float
    viability_beside: float
    shared_users: float
    viability_shared: float

    @property
    def taken_share(self) -> float:
        """Part of the new hub's users who come from the existing ones, 0 to 1."""
        return self.taken_users / self.beside_users if self.beside_users > 0.0 else 0.0


def advice(found: BesideExisting, core_users: float) -> str:
    """Open here, or reinforce what exists? By the conditions of a site: enough users, income that covers the cost.

    'open' where they hold beside the existing hubs even if all share the same people, 'depends' where they hold only
    if each hub brings its own, 'reinforce' where they hold only as if the others did not exist, 'neither' where they do
    not hold even so.
    """
    if found.beside_users >= core_users and found.viability_beside >= 1.0:
        return "open" if found.shared_users >= core_users and found.viability_shared >= 1.0 else "depends"
    return "reinforce" if found.alone_users >= core_users and found.viability_alone >= 1.0 else "neither"


def beside_existing(
    territory: Territory, scenario: Scenario, parameters: Parameters, site_code: str,
    existing_codes: Sequence[str], home: Territory | None = None,
) -> BesideExisting:  # fmt: skip
    """What opening a hub adds where hubs exist already, by the same logit with all of them in the choice.

    For a day of a commuter with odds O (office), A (home, 0 where it does not suit), E (sum over the existing hubs
    within reach) and H (the new one), the days are O, A, E, H over their sum. The existing hubs are taken to be as
    good and as dear as the new one, one in each commune of `existing_codes`; homes out of reach of the new one do not
    change, and are left out. The logit gives each further hub people of its own, as many next door as far away: what it
    says is the most. The least, `shared`, is that of a nest of hubs that are all alike: with M the largest of H and the
    odds of each existing hub, M / (O + A + M) of the days are at a hub, of which H / (H + E) at the new one. KeyError where `site_code` or an existing code is no site of the territory.
    """
    home = home or territory
    cut = around_site(territory, site_code)
    codes = tuple(dict.fromkeys(existing_codes))
    values = parameter_values(scenario, parameters)
    calibration = calibration_for(home, parameters, scenario.changed)
    zone_codes = cut.zones["zone_code"].to_numpy(object)
    run, new = _hub(territory, scenario, calibration, values, site_code, zone_codes)
    olds = [_hub(territory, scenario, calibration, values, code, zone_codes)[1] for code in codes]
    prepared = within_reach(cut, scenario.access_max_min)
    alone = site_results(run.sites, surroundings(prepared, scenario, values), scenario, values)
    days, net, before = _opening(new, olds, run, prepared.flow_zone)
    shared = _shared_days(new, olds, run, prepared.flow_zone)
    per_user = max(hub_days_per_user(scenario, values), 1e-9)
    added = float(net.hub_days[0])
    return BesideExisting(
        codes, float(alone["users"][0]), days / per_user, (days - added) / per_user, added / per_user,
        float(impact.hours(net)[0]), float(alone["hours_per_year"][0]),
        float(impact.kg_co2e(impact.vehicle_km(net, values), scenario, values)[0]), before / per_user,
        float(alone["viability"][0]), viability_ratio(days, scenario, parameters), shared / per_user,
        viability_ratio(shared, scenario, parameters),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Hub:
    """Odds of one hub and its return trips for given homes, (n_homes,); odds are 0 where it is out of reach."""

    suitable: np.ndarray
    unsuitable: np.ndarray
    access_min: np.ndarray
    access_km: np.ndarray


def _hub(
    territory: Territory, scenario: Scenario, calibration: Calibration, values: Values, code: str, homes: np.ndarray
) -> tuple[Run, _Hub]:
    """The run of one site alone, and what it offers to `homes` (codes of communes)."""
    prepared = within_reach(around_site(territory, code), scenario.access_max_min)
    run = run_kernel(prepared, scenario, calibration, values)
    reached = prepared.territory.zones["zone_code"].to_numpy(object)[prepared.territory.access_zone]
    place = {home: n for n, home in enumerate(homes)}
    pairs = np.array([p for p, home in enumerate(reached) if home in place], dtype=np.int64)
    rows = np.array([place[reached[p]] for p in pairs], dtype=np.int64)
    offered = []
    for per_pair in (run.odds.hub_suitable, run.odds.hub_unsuitable, run.costs.access_min, run.costs.access_km):
        out = np.zeros(homes.size)
        out[rows] = per_pair[pairs]
        offered.append(out)
    return run, _Hub(*offered)


def _opening(new: _Hub, olds: Sequence[_Hub], run: Run, flow_zone: np.ndarray) -> tuple[float, impact.Sums, float]:
    """Hub days of the new hub, sums of all hubs after less before, hub days of the old ones before."""
    o = run.odds
    office, home = o.office, o.home[flow_zone]
    suitable, unsuitable = o.days * (1.0 - o.unsuitable_share), o.days * o.unsuitable_share
    none = np.zeros(flow_zone.size)
    first = office + home + sum((hub.suitable[flow_zone] for hub in olds), none)
    second = office + sum((hub.unsuitable[flow_zone] for hub in olds), none)
    without = suitable / first, unsuitable / second
    with_new = suitable / (first + new.suitable[flow_zone]), unsuitable / (second + new.unsuitable[flow_zone])

    def hub_days(hub: _Hub, state: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        return np.asarray(hub.suitable[flow_zone] * state[0] + hub.unsuitable[flow_zone] * state[1])

    mine = hub_days(new, with_new)
    change = [(hub, hub_days(hub, with_new) - hub_days(hub, without)) for hub in olds]
    moved = [(new, mine), *change]
    avoided = office * (without[0] + without[1] - with_new[0] - with_new[1])
    net = (
        sum(float(days.sum()) for _, days in moved), float(avoided.sum()),
        float(avoided @ run.costs.commute_min), float(avoided @ run.costs.commute_km),
        sum(float(days @ hub.access_min[flow_zone]) for hub, days in moved),
        sum(float(days @ hub.access_km[flow_zone]) for hub, days in moved),
    )  # fmt: skip
    before = sum(float(hub_days(hub, without).sum()) for hub in olds)
    return float(mine.sum()), impact.Sums(*(np.array([total]) for total in net)), before


def _shared_days(new: _Hub, olds: Sequence[_Hub], run: Run, flow_zone: np.ndarray) -> float:
    """Hub days of the new hub where all hubs share the people of the best of them, in proportion to their odds."""
    o, total = run.odds, 0.0
    for kind, rest, days in (
        ("suitable", o.office + o.home[flow_zone], o.days * (1.0 - o.unsuitable_share)),
        ("unsuitable", o.office, o.days * o.unsuitable_share),
    ):
        offered = np.array([getattr(hub, kind)[flow_zone] for hub in (new, *olds)])
        best, every = offered.max(axis=0), offered.sum(axis=0)
        part = np.divide(offered[0], every, out=np.zeros(every.size), where=every > 0.0)
        total += float((days * best / (rest + best)) @ part)
    return total


# --- all that needs runs of its own ---------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class SheetRuns:
    """What a sheet shows that is not in the table of sites. beside: None where no hub exists within reach."""

    by_price: BreakEven
    premises: PremisesComparison
    telepresence: TelepresenceTrigger
    beside: BesideExisting | None


def sheet_runs(
    territory: Territory, scenario: Scenario, parameters: Parameters, site_code: str,
    existing_codes: Sequence[str] = (), home: Territory | None = None,
) -> SheetRuns:  # fmt: skip
    """Every run of one site's sheet, in some tens of milliseconds. KeyError where no site has this code."""
    at = (territory, scenario, parameters, site_code)
    beside = beside_existing(*at, existing_codes, home) if existing_codes else None
    return SheetRuns(
        break_even_by_price(*at, home), premises_comparison(*at, home), telepresence_trigger(*at, home), beside
    )
