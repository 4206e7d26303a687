"""The deterrence of distance, fitted on the commuting flows inside Isère."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from coopconnect.territory import gravity, travel
from fitting.common import SEED, Fitted, Isere

FLOW_START = (0.0, np.log(0.13), -0.05, 1.6, -0.45, 1.15, -1.12)
FLOW_ITERATIONS = 25
GROUPS = (1.0, 1.2, 1.5)
DRAWS = 5
UNIT_BELOW = 8.0
UNIT_DEFAULT = 5.0
LEAST_MIN = 1.0


def flow_model(
    z: np.ndarray,
    minutes: np.ndarray,
    pairs: Isere,
    workers: np.ndarray,
    jobs: np.ndarray,
    iterations: int = FLOW_ITERATIONS,
) -> np.ndarray:
    """Commuters between the communes of Isère for the deterrence `z` (power squared, ln rate, then as is)."""
    law = deterrence(z)
    kernel = law.kernel(minutes, pairs.density_sum)
    np.fill_diagonal(kernel, law.own_kernel(pairs.area_km2, workers, jobs))
    b = np.ones(len(workers))
    for _ in range(iterations):
        a = workers / np.maximum(kernel @ b, 1e-12)
        b = jobs / np.maximum(kernel.T @ a, 1e-12)
    a = workers / np.maximum(kernel @ b, 1e-12)
    return a[:, None] * kernel * b[None]


def deterrence(z: np.ndarray) -> gravity.Deterrence:
    """The deterrence that the search vector stands for; power is z0 squared, never negative."""
    return gravity.Deterrence(float(z[0] ** 2), float(np.exp(z[1])), *(float(v) for v in z[2:]))


def search_flows(minutes: np.ndarray, pairs: Isere, rows: np.ndarray) -> np.ndarray:
    """Deterrence with the best CPC on the residents of `rows`, their mean commute held to what is observed."""
    workers, jobs = pairs.flows.sum(axis=1), pairs.flows.sum(axis=0)
    out = ~np.eye(len(workers), dtype=bool)[rows]
    seen = pairs.flows[rows]
    mean_min = (seen * minutes[rows])[out].sum() / seen[out].sum()

    def loss(z: np.ndarray) -> float:
        model = flow_model(z, minutes, pairs, workers, jobs)[rows]
        mean = (model * minutes[rows])[out].sum() / model[out].sum()
        return -gravity.common_part_of_commuters(model, seen) + 0.5 * abs(mean / mean_min - 1)

    z = np.array(FLOW_START, dtype=float)
    for _ in range(3):
        simplex = np.vstack([z, *(z + 0.25 * step for step in np.eye(len(z)))])
        z = minimize(loss, z, method="Nelder-Mead", options={"maxfev": 350, "initial_simplex": simplex}).x
    return z


def isere_min(pairs: Isere, law: travel.TravelLaw) -> np.ndarray:
    """Minutes of the built-in estimate between the communes of `pairs`, square."""
    row = np.arange(len(pairs.codes))
    return travel.Ends.of(pairs.settlement, law).drive_min(pairs.crow_km, row[:, None], row[None], pairs.path, law)


def fit_flows(
    pairs: Isere,
    law: travel.TravelLaw,
    modelled_jobs: np.ndarray,
    modelled_workers: np.ndarray,
    minutes: np.ndarray | None = None,
) -> tuple[list[Fitted], dict[str, float]]:
    """Deterrence on half of the communes, judged on the other half, then fitted on all of them.

    minutes: between the communes of `pairs` (as the build has them), those of `law` if not given.
    """
    if minutes is None:
        minutes = isere_min(pairs, law)
    n = len(pairs.codes)
    workers, jobs = pairs.flows.sum(axis=1), pairs.flows.sum(axis=0)
    half = np.random.default_rng(SEED).permutation(n) < n // 2
    halves, figures = [], {}
    held = []
    for rows in (half, ~half):
        z = search_flows(minutes, pairs, rows)
        halves.append(z)
        model = flow_model(z, minutes, pairs, workers, jobs, 100)
        held.append((gravity.common_part_of_commuters(model[~rows], pairs.flows[~rows]), pairs.flows[~rows].sum()))
    figures["cpc_held_out"] = float(np.average([c for c, _ in held], weights=[w for _, w in held]))
    figures["cpc_held_out_low"], figures["cpc_held_out_high"] = (min(c for c, _ in held), max(c for c, _ in held))
    z = search_flows(minutes, pairs, np.ones(n, dtype=bool))
    model = flow_model(z, minutes, pairs, workers, jobs, 100)
    out = ~np.eye(n, dtype=bool)
    figures["cpc_official_margins"] = gravity.common_part_of_commuters(model, pairs.flows)
    figures["cpc_between_communes"] = gravity.common_part_of_commuters(model[out], pairs.flows[out])
    figures["own_commune_ratio"] = float(np.diag(model).sum() / np.diag(pairs.flows).sum())
    figures["mean_min_model"] = float((model * minutes)[out].sum() / model[out].sum())
    figures["mean_min_observed"] = float((pairs.flows * minutes)[out].sum() / pairs.flows[out].sum())
    scaled = modelled_jobs * modelled_workers.sum() / modelled_jobs.sum()
    model = flow_model(z, minutes, pairs, modelled_workers, scaled, 100)
    model *= pairs.flows.sum() / model.sum()
    figures["cpc_modelled_margins"] = gravity.common_part_of_commuters(model, pairs.flows)
    for key, rows_total, columns_total in (
        ("cpc_modelled_jobs", workers, modelled_jobs),
        ("cpc_modelled_workers", modelled_workers, jobs),
    ):
        model = flow_model(z, minutes, pairs, rows_total, columns_total * rows_total.sum() / columns_total.sum(), 100)
        figures[key] = gravity.common_part_of_commuters(model * pairs.flows.sum() / model.sum(), pairs.flows)
    figures["cpc_first_try_crow_fly"] = first_try(pairs, workers, jobs)
    figures |= ceilings(pairs)
    return flow_coefficients(z, halves), figures


def first_try(pairs: Isere, workers: np.ndarray, jobs: np.ndarray) -> float:
    """CPC of the first try of the design: crow-fly km, power 1.5, 0.05 per km, boost 1.5 inside a commune."""
    km = np.maximum(pairs.crow_km, travel.MIN_CROW_KM)
    np.fill_diagonal(km, np.sqrt(pairs.area_km2 / np.pi))
    kernel = km**-1.5 * np.exp(-0.05 * km)
    np.fill_diagonal(kernel, 1.5 * np.diag(kernel))
    b = np.ones(len(workers))
    for _ in range(100):
        a = workers / (kernel @ b)
        b = jobs / (kernel.T @ a)
    return gravity.common_part_of_commuters(a[:, None] * kernel * b, pairs.flows)


def ceilings(pairs: Isere) -> dict[str, float]:
    """What the same law reaches with the minutes of OSRM, and what a true law would reach, given the sampling.

    The second takes the fitted flows for the truth, draws samples of them as the census does (`sampled`), and gives
    the CPC between each sample and the truth brought to the margins of the sample. Key by persons a drawn group:
    the number of pairs above zero says which of them is like the file.
    """
    everyone = np.ones(len(pairs.codes), dtype=bool)
    workers, jobs = pairs.flows.sum(axis=1), pairs.flows.sum(axis=0)
    minutes = np.maximum(pairs.osrm_min, LEAST_MIN)
    truth = flow_model(search_flows(minutes, pairs, everyone), minutes, pairs, workers, jobs, 100)
    figures = {
        "cpc_osrm_minutes": gravity.common_part_of_commuters(truth, pairs.flows),
        "pairs_observed": float((pairs.flows > 0).sum()),
    }
    rng = np.random.default_rng(SEED)
    for group in GROUPS:
        found, count = [], []
        for _ in range(DRAWS):
            sample = sampled(truth, pairs.flows, group, rng)
            b = np.ones(len(workers))
            for _ in range(FLOW_ITERATIONS):
                a = sample.sum(axis=1) / np.maximum(truth @ b, 1e-12)
                b = sample.sum(axis=0) / np.maximum(truth.T @ a, 1e-12)
            found.append(gravity.common_part_of_commuters(a[:, None] * truth * b[None], sample))
            count.append((sample > 0).sum())
        figures[f"cpc_ceiling_groups_of_{group:g}"] = float(np.mean(found))
        figures[f"pairs_groups_of_{group:g}"] = float(np.mean(count))
    return figures


def sampled(truth: np.ndarray, seen: np.ndarray, group: float, rng: np.random.Generator) -> np.ndarray:
    """A sample of `truth` with the weights of the census: each home commune draws Poisson units of w * group persons.

    w: median of the flows under `UNIT_BELOW` of that home in `seen` (about 5 under 10,000 inhabitants, 3 above),
    which are one person of the sample each. group: persons of a household going to the same commune, on average.
    """
    small = np.where((seen > 0) & (seen < UNIT_BELOW), seen, np.nan)
    known = np.isfinite(small).any(axis=1)
    unit = np.full(len(seen), UNIT_DEFAULT)
    unit[known] = np.nanmedian(small[known], axis=1)
    unit *= group
    return rng.poisson(truth / unit[:, None]) * unit[:, None]


def flow_coefficients(z: np.ndarray, halves: list[np.ndarray]) -> list[Fitted]:
    """Coefficients of the deterrence; the range is that of the two halves, widened by half."""
    units = ("ratio", "1/min", "ln", "ln", "ln", "ln", "ln")
    found = [list(deterrence(v).__dict__.values()) for v in (z, *halves)]
    result = []
    for k, name in enumerate(gravity.Deterrence.__dataclass_fields__):
        values = [f[k] for f in found]
        margin = 0.25 * (max(values) - min(values)) + 0.02 * abs(values[0])
        floor = 0.0 if name == "power" else -np.inf
        result.append(
            Fitted(
                f"flow_{name}",
                values[0],
                0.0,
                units[k],
                "fitted_flows",
                "INSEE flux domicile-travail RP 2017, Isère",
                max(floor, min(values) - margin),
                max(values) + margin,
            )
        )
    return result
