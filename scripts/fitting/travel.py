"""The travel estimate, fitted on the OSRM table of Isère."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coopconnect.territory import travel
from fitting.common import FOLDS, PATH_VALUES, SEED, Fitted, Isere, least_squares

BANDS_MIN = ((3, 10), (10, 20), (20, 40), (40, 60))
TRAVEL_WEIGHT_POWER = 1.5
"""Short pairs are few and matter most (access to a hub): each pair weighs km^-1.5."""
CURVE = ("constant", "log_km", "log_km_squared", "log_km_cubed")


LEAST_RESIDUAL = 0.03
"""Of ln(minutes), under which a pair weighs no more in the least absolute deviations."""
REWEIGHTINGS = 6
DRAWS = (SEED, 101, 102, 103)
"""Draws of communes kept aside: of one alone, the shortest band holds under 500 pairs."""
CHOSEN_FR = "choisi parmi quelques valeurs sur les mêmes trajets (docs/travel.md)"


def least_deviations(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weighted least absolute deviations, by squares weighted anew: coefficients and the standard errors of the last round."""
    c, spread = least_squares(x, y, weight)
    for _ in range(REWEIGHTINGS):
        c, spread = least_squares(x, y, weight / np.maximum(np.abs(y - x @ c), LEAST_RESIDUAL))
    return c, spread


def fit_travel(pairs: Isere, seeds: Sequence[int] = DRAWS) -> tuple[list[Fitted], dict[str, float]]:
    """Travel law on pairs of Isère; error by band on pairs of which no end was in the fit."""
    n = len(pairs.codes)
    length = np.log(np.maximum(pairs.crow_km, travel.MIN_CROW_KM))
    beyond = np.maximum(length, 0.0)
    terms = dict(zip(CURVE, (np.ones((n, n)), length, beyond**2, beyond**3), strict=True))
    for name, value in pairs.settlement.items():
        both = value[:, None] + value[None]
        terms |= {name: both, f"{name}_log_km": both * length}
    density = pairs.settlement["density"]
    apart = np.abs(density[:, None] - density[None])
    terms |= {"density_apart": apart, "density_apart_log_km": apart * length}
    terms |= {"path": pairs.path, "path_log_km": pairs.path * length}
    columns = np.stack(list(terms.values()), axis=-1)
    usable = (pairs.osrm_min > 0.5) & (pairs.crow_km > 0) & (pairs.crow_km < 100)
    log_min = np.log(np.maximum(pairs.osrm_min, 0.5))
    weight = np.maximum(pairs.crow_km, 1.0) ** -TRAVEL_WEIGHT_POWER
    observed, estimated = [], []
    draws = [np.random.default_rng(seed).integers(0, FOLDS, n) for seed in seeds]
    for out in (fold == f for fold in draws for f in range(FOLDS)):
        train = usable & ~out[:, None] & ~out[None]
        test = usable & out[:, None] & out[None]
        c, _ = least_deviations(columns[train], log_min[train], weight[train])
        observed.append(pairs.osrm_min[test])
        estimated.append(np.exp(columns[test] @ c))
    seen, guess = np.concatenate(observed), np.concatenate(estimated)
    figures: dict[str, float] = {}
    for low, high in BANDS_MIN:
        band = (seen >= low) & (seen < high)
        figures[f"travel_pairs_{low}_{high}_min"] = int(band.sum())
        figures[f"travel_error_{low}_{high}_min"] = float(np.abs(guess[band] / seen[band] - 1).mean())
        figures[f"travel_median_error_{low}_{high}_min"] = float(np.median(np.abs(guess[band] / seen[band] - 1)))
        figures[f"travel_p90_error_{low}_{high}_min"] = float(np.quantile(np.abs(guess[band] / seen[band] - 1), 0.9))
        figures[f"travel_bias_{low}_{high}_min"] = float((guess[band] / seen[band]).mean() - 1)
        mine = (guess >= low) & (guess < high)
        figures[f"travel_bias_estimated_{low}_{high}_min"] = float(np.median(guess[mine] / seen[mine]) - 1)
    c, spread = least_deviations(columns[usable], log_min[usable], weight[usable])
    source = "OSRM, 512 communes de l'Isère, (c) contributeurs OpenStreetMap, ODbL"
    clustered = np.sqrt(n)
    fitted = [
        Fitted(
            f"travel_{name}",
            value,
            s * clustered,
            "ln",
            "fitted_travel",
            source,
        )
        for name, value, s in zip(terms, c, spread, strict=True)
    ]
    fitted += [
        Fitted(
            key,
            value,
            0.0,
            unit,
            "fitted_travel",
            "chosen among a few on the same pairs (docs/travel.md)",
            source_fr=CHOSEN_FR,
        )
        for key, value, unit in (
            ("travel_path_most", PATH_VALUES["travel_path_most"], "ln"),
            ("travel_path_density", PATH_VALUES["travel_path_density"], "ln"),
            ("travel_path_density_most", PATH_VALUES["travel_path_density_most"], "ln"),
            ("travel_path_climb", PATH_VALUES["travel_path_climb"], "km/km"),
            ("travel_path_outside", PATH_VALUES["travel_path_outside"], "km/km"),
        )
    ]
    fitted.append(
        Fitted(
            "travel_own_km_per_radius",
            0.5,
            0.0,
            "ratio",
            "fitted_travel",
            "assumption: homes gather round the centre (2/3 if they did not)",
            0.3,
            0.9,
            source_fr="hypothèse : les logements se serrent autour du centre (2/3 s'ils étaient répartis partout)",
        )
    )
    return fitted, figures
