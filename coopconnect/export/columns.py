"""The columns of the sheets Sites and Communes: form, unit, nature, width, in the order of the page."""

from __future__ import annotations

from dataclasses import dataclass, replace

from coopconnect.model.types import RANGED
from coopconnect.scenario import COMPONENTS


@dataclass(frozen=True)
class Column:
    """One column: `key` in the table, `end` ('', '_low', '_high', '_reference' or '_change'), how it is written.

    `folded_range`: its low and high are there but folded away, to open with a click.
    """

    key: str
    form: str
    unit: str = ""
    kind: str = "modelled"
    width: float = 9.5
    end: str = ""
    folded_range: bool = False

    @property
    def name(self) -> str:
        """Key and end together: the name of the column in a table of results."""
        return f"{self.key}{self.end}"


def _spread(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """Each column followed by its low and its high, where it has them."""
    found: list[Column] = []
    for column in columns:
        found.append(column)
        if column.key in RANGED:
            found += [replace(column, end=end, kind="modelled") for end in ("_low", "_high")]
    return tuple(found)


PAID = (
    "eur_per_participating_household", "price_paid_per_participating_household_eur",
    "eur_after_price_per_participating_household",
)  # fmt: skip
"""EUR a user keeps, what the user pays for the hub, and what is left: always shown side by side."""

COMPARED = ("score", "rank", "users", "hours_per_year", "eur_per_year", "kg_co2e_per_year", "viability",
            "hours_per_participating_household", *PAID)  # fmt: skip
"""Columns shown beside their value in the reference scenario."""

_FORMS = {
    "score": ("one", "points"), "rank": ("rank", "rank"), "users": ("one", "users"), "hours_per_year": ("whole", "h_yr"),
    "eur_per_year": ("whole", "eur_yr"), "kg_co2e_per_year": ("whole", "kg_yr"), "viability": ("two", "ratio"),
    "hours_per_participating_household": ("one", "h_yr"), **dict.fromkeys(PAID, ("whole", "eur_yr")),
}  # fmt: skip

_CHANGE_FORMS = {"whole": "change", "rank": "change", "one": "change_one", "two": "change_two"}


def _compared() -> tuple[Column, ...]:
    found = []
    for key in COMPARED:
        form, unit = _FORMS[key]
        found.append(Column(key, form, unit, "modelled", 10, "_reference"))
        found.append(Column(key, _CHANGE_FORMS[form], unit, "computed", 10, "_change"))
    return tuple(found)


_PRINTED = (
    Column("rank", "rank", "rank", "computed", 6), Column("zone_code", "text", "", "official", 8),
    Column("name", "text", "", "official", 28), Column("departement", "text", "", "official", 6),
    Column("epci_name", "text", "", "official", 26), Column("rural", "flag", "", "modelled", 7), Column("score", "one", "points", "computed", 8),
    *(Column(f"component_{name}", "one", "points", "computed", 9.5, folded_range=True) for name in COMPONENTS),
    Column("users", "one", "users", width=8.5), Column("desks", "whole", "desks", width=7.5, folded_range=True),
    Column("hours_per_year", "whole", "h_yr", width=9), Column("eur_per_year", "whole", "eur_yr", width=9),
    Column("kg_co2e_per_year", "whole", "kg_yr", width=9), Column("viability", "two", "ratio", "computed", 9),
    Column("hours_per_participating_household", "one", "h_yr", "computed", 10),
    Column("red_flag", "flag", "", "computed", 8.5),
)  # fmt: skip

_DETAILS = (
    Column("population", "whole", "people", "official", 10),
    Column("available", "flag", "", "chosen"), Column("enough_users", "flag", "", "computed"),
    Column("counted", "flag", "", "computed"), Column("rank_low", "rank", "rank"), Column("rank_high", "rank", "rank"),
    Column("tie_group", "rank"), Column("tied", "flag"),
    Column("users_share", "share", "share", "computed"), Column("hub_days_per_year", "whole", "d_yr"),
    Column("substitution_share", "share", "share"), Column("vehicle_km_per_year", "whole", "km_yr"),
    Column("hours_if_all_replaced", "one", "h_yr"),
    Column("eur_per_participating_household", "whole", "eur_yr", "computed"),
    Column("price_paid_per_participating_household_eur", "whole", "eur_yr"),
    Column("eur_after_price_per_participating_household", "whole", "eur_yr", "computed", 10),
    Column("kg_co2e_per_participating_household", "whole", "kg_yr", "computed"),
    Column("hours_per_catchment_household", "two", "h_yr", "computed"), Column("hours_d1", "one", "h_yr"),
    Column("hours_d5", "one", "h_yr"), Column("hours_d9", "one", "h_yr"), Column("losing_share", "share", "share"),
    Column("workers_within_reach", "whole", "workers"), Column("households_within_reach", "whole", "households"),
    Column("population_within_reach", "whole", "people"), Column("yearly_cost_eur", "whole", "eur_yr"),
    Column("revenue_eur_per_year", "whole", "eur_yr"),
    Column("contribution_eur_per_year", "whole", "eur_yr", "computed"),
    Column("break_even_users", "one", "users", "computed"), Column("benefit_cost", "two", "ratio", "computed"),
    Column("net_public_cost_per_day_eur", "one", "eur_day", "computed"), Column("vulnerable_share", "share", "share"),
    Column("hot_days", "one", "d_yr", "estimated"), Column("road_disruption_days", "one", "d_yr", "estimated"),
    Column("lon", "degrees", "deg", "official"), Column("lat", "degrees", "deg", "official"),
)  # fmt: skip

HELPERS = (Column("sort_key", "three", "", "computed", 10), Column("shown_rank", "rank", "rank", "computed", 10))
"""Hidden columns: the score with ties broken by row, and the rank among the sites that the summary shows."""

PRINTED_SITE_COLUMNS = _spread(_PRINTED)
"""The left part of the sheet Sites: what is printed."""

SITE_SHEET_COLUMNS = (*PRINTED_SITE_COLUMNS, *_spread(_DETAILS), *_compared(), *HELPERS)

ZONE_SHEET_COLUMNS = (
    Column("zone_code", "text", "", "official", 8), Column("name", "text", "", "official", 28),
    Column("departement", "text", "", "official", 6), Column("rural", "flag", "", "modelled", 7),
    Column("population", "whole", "people", "official", 10), Column("households", "whole", "households", "official", 10),
    Column("workers", "whole", "workers", "modelled", 10), Column("commute_km", "one", "km", "modelled", 10),
    Column("commute_min", "one", "min", "modelled", 10),
    Column("remote_hours_per_worker", "one", "h_yr", "modelled", 11),
    Column("remote_hours_per_household", "one", "h_yr", "modelled", 11),
    Column("vulnerable_share", "share", "share", "modelled", 11),
    Column("best_site_code", "text", "", "modelled", 9), Column("best_site_name", "text", "", "modelled", 26),
    Column("hub_users", "one", "users", "modelled", 9), Column("hub_hours_per_year", "whole", "h_yr", "modelled", 11),
    Column("hub_hours_per_household", "two", "h_yr", "computed", 11),
)  # fmt: skip

NEGATIVE_FLAGGED = (
    "hours_per_year", "eur_per_year", "kg_co2e_per_year", "vehicle_km_per_year", "hours_per_participating_household",
    "eur_per_participating_household", "eur_after_price_per_participating_household",
    "kg_co2e_per_participating_household", "hours_per_catchment_household",
    "hours_if_all_replaced", "hours_d1", "hours_d5", "hours_d9", "benefit_cost", "hub_hours_per_year",
    "hub_hours_per_household",
)  # fmt: skip
"""Columns in which a value below zero is bad news and is shown in red."""
