"""Who makes the hours: workers, hub days, substitution and net hours by length of the commute, rural sites of PACA.

The table of docs/model.md ("Who uses a hub"). One hub at a time, reference scenario, every rural site.
"""

from __future__ import annotations

import numpy as np

from coopconnect.model.calibration import calibration_for
from coopconnect.model.choice import day_costs, hub_days_per_user, odds, within_reach
from coopconnect.parameters import DATA_DIR, load_parameters
from coopconnect.scenario import parameter_values, reference_scenario
from coopconnect.territory.load import load_territory

BANDS_KM = (0.0, 5.0, 15.0, 30.0, 60.0, np.inf)


def main() -> None:
    parameters = load_parameters()
    territory = load_territory("93", DATA_DIR / "territory", circuity=parameters.value("circuity"))
    scenario = reference_scenario(parameters)
    values = parameter_values(scenario, parameters)
    calibration = calibration_for(territory, parameters, ())
    prepared = within_reach(territory, scenario.access_max_min)
    costs = day_costs(prepared, scenario, values)
    o = odds(prepared, costs, scenario, calibration, values)
    t = prepared.territory
    rural = t.zones["rural"].to_numpy(bool)
    sums = np.zeros((len(BANDS_KM) - 1, 4))  # workers, hub days, days avoided, hours
    for s in np.flatnonzero(rural[t.site_zone]):
        for p in range(t.access_start[s], t.access_start[s + 1]):
            i = t.access_zone[p]
            f = slice(int(t.flow_start[i]), int(t.flow_start[i + 1]))
            suits = (1 - o.unsuitable_share) * o.days[f] * o.hub_suitable[p]
            suits = suits / (o.office[f] + o.home[i] + o.hub_suitable[p])
            other = o.unsuitable_share * o.days[f] * o.hub_unsuitable[p] / (o.office[f] + o.hub_unsuitable[p])
            away = suits * o.office_share[f] + other
            hours = (away * costs.commute_min[f] - (suits + other) * costs.access_min[p]) / 60
            band = np.searchsorted(BANDS_KM, t.flow_road_km[f], side="right") - 1
            for column, value in enumerate((t.flow_workers[f], suits + other, away, hours)):
                sums[:, column] += np.bincount(band, weights=value, minlength=len(sums))
    users = sums[:, 1] / hub_days_per_user(scenario, values)
    shares = sums / sums.sum(axis=0)
    print("km, workers, hub days, substitution, hours a user, share of net hours")
    for k in range(len(sums)):
        print(
            f"{BANDS_KM[k]:g}-{BANDS_KM[k + 1]:g}: {shares[k, 0]:.0%} {shares[k, 1]:.0%} {sums[k, 2] / sums[k, 1]:.2f} "
            f"{sums[k, 3] / users[k]:+.0f} {shares[k, 3]:.0%}"
        )


if __name__ == "__main__":
    main()
