"""The same choice read otherwise: its worth by the logsum, a peak on the way to the hub, a minute more or less to reach it.

The figures of docs/model.md ("What it does not know"), rural sites of PACA, one hub at a time, reference scenario. With odds O (office), A (home, 0
where it does not suit) and H (hub), a day allowed is worth ln(1 + H / (O + A)) / scale euros more to who has it, the part of the
price that the worker pays taken off. For society: that, the days paid to the place, and the carbon, less the yearly cost.
"""

from __future__ import annotations

import numpy as np

from coopconnect.model.calibration import calibration_for
from coopconnect.model.choice import within_reach
from coopconnect.model.runs import run_kernel, site_results, surroundings
from coopconnect.parameters import DATA_DIR, load_parameters
from coopconnect.scenario import parameter_values, reference_scenario
from coopconnect.territory.load import load_territory


def main() -> None:
    parameters = load_parameters()
    territory = load_territory("93", DATA_DIR / "territory", circuity=parameters.value("circuity"))
    scenario = reference_scenario(parameters)
    values = parameter_values(scenario, parameters)
    calibration = calibration_for(territory, parameters, ())
    prepared = within_reach(territory, scenario.access_max_min)
    run = run_kernel(prepared, scenario, calibration, values)
    found = site_results(run.sites, surroundings(prepared, scenario, values), scenario, values)
    o, t = run.odds, prepared.territory
    pair_eur = np.zeros(t.access_zone.size)
    for p, i in enumerate(t.access_zone):
        f = slice(int(t.flow_start[i]), int(t.flow_start[i + 1]))
        suits = np.log1p(o.hub_suitable[p] / (o.office[f] + o.home[i]))
        other = np.log1p(o.hub_unsuitable[p] / o.office[f])
        gained = o.days[f] * ((1.0 - o.unsuitable_share) * suits + o.unsuitable_share * other)
        pair_eur[p] = gained.sum() / calibration.scale_per_eur
    users_eur = np.bincount(prepared.access_site, weights=pair_eur, minlength=t.site_zone.size)
    carbon_eur = found["kg_co2e_per_year"] / 1000.0 * scenario.carbon_value_eur_per_t
    ratio = (users_eur + found["revenue_eur_per_year"] + carbon_eur) / found["yearly_cost_eur"]
    rural = prepared.rural[t.site_zone]
    kept = found["eur_per_year"] + found["hours_per_year"] * values["value_of_time_eur_per_h"]
    print(f"{rural.sum()} rural sites; benefit / cost, sites of at least 1 and median")
    for name, one in (("hours and euros kept", found["benefit_cost"]), ("logsum", ratio)):
        print(f"{name}: {(one[rural] >= 1.0).sum()}, {np.median(one[rural]):.2f}")
    print(
        f"a day at the hub, EUR: {users_eur[rural].sum() / found['hub_days_per_year'][rural].sum():.1f} by the logsum once paid,"
    )
    print(
        f"{kept[rural].sum() / found['hub_days_per_year'][rural].sum():.1f} of hours and euros kept, price not counted"
    )
    hours, peak = found["hours_per_year"], values["commute_peak_factor"]
    slower = hours - run.sites.access_min * (peak - 1.0) / 60.0
    print(
        f"hours, were the trip to the hub at the peak too, same choice: {slower[rural].sum() / hours[rural].sum() - 1.0:+.0%}"
    )
    for minutes in (-1.0, 1.0):
        other = within_reach(territory, scenario.access_max_min + minutes)
        sites = run_kernel(other, scenario, calibration, values).sites
        moved = site_results(sites, surroundings(other, scenario, values), scenario, values)
        users, kept_h = (moved[n][rural].sum() / found[n][rural].sum() - 1.0 for n in ("users", "hours_per_year"))
        gap = np.abs(moved["score"] - found["score"])[rural]
        print(
            f"{minutes:+.0f} min of reach: users {users:+.0%}, hours {kept_h:+.0%}, score at most {gap.max():.0f} points"
        )
        print(f"  more than 5 points: {(gap > 5.0).sum()} sites")


if __name__ == "__main__":
    main()
