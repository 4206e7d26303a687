"""What changed between two assessments of one territory: totals, ranks, who becomes viable and who no longer is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from coopconnect.model.types import Assessment, Range


@dataclass(frozen=True, eq=False)
class Difference:
    """Two assessments side by side.

    sites: zone_code, name, rural, rank_before, rank_after, score_before, score_after, viable_before, viable_after,
    available_before, available_after (False where every host has refused: such a site comes after all others), and sure (the ranges of the two ranks do not meet); of the sites of both. totals: by name, before and after. top: how many of the best are compared; top_kept: how many
    of them are among the best of both. rank_correlation: Spearman's, over the sites of both (nan under three).
    rural_joined, rural_left: communes that are rural after and not before, before and not after (0 where all are compared).
    """

    sites: pd.DataFrame
    totals: dict[str, tuple[Range, Range]]
    top: int
    top_kept: int
    rank_correlation: float
    rural_joined: int = 0
    rural_left: int = 0

    @property
    def same(self) -> bool:
        """True where nothing moved: no total, no score, no commune that became or ceased to be rural."""
        was, is_now = (self.sites[f"score_{end}"].to_numpy(float) for end in ("before", "after"))
        still = not (self.rural_joined or self.rural_left) and np.array_equal(was, is_now, equal_nan=True)
        return still and all(before == after for before, after in self.totals.values())

    @property
    def gained(self) -> int:
        """Sites viable after and not before."""
        return int((self.sites["viable_after"] & ~self.sites["viable_before"]).sum())

    @property
    def lost(self) -> int:
        """Sites viable before and not after."""
        return int((self.sites["viable_before"] & ~self.sites["viable_after"]).sum())

    def gained_sites(self) -> pd.DataFrame:
        """Sites viable after and not before, best first."""
        return self._only(self.sites["viable_after"] & ~self.sites["viable_before"])

    def lost_sites(self) -> pd.DataFrame:
        """Sites viable before and not after, best (before) first."""
        return self._only(self.sites["viable_before"] & ~self.sites["viable_after"], "rank_before")

    def _only(self, keep: pd.Series, order: str = "rank_after") -> pd.DataFrame:
        return self.sites[keep].sort_values(order, kind="stable")

    def leaders(self) -> pd.DataFrame:
        """The best `top` of either, in the order of the second scenario."""
        first = [
            (self.sites[f"rank_{end}"] <= self.top) & self.sites[f"available_{end}"] for end in ("before", "after")
        ]
        return self._only(first[0] | first[1])

    def climber(self) -> pd.Series | None:
        """The site that leads now and did not, else the one that climbs most into or within the best; None without."""
        best = self.sites[
            (self.sites["rank_after"] <= self.top)
            & (self.sites["rank_after"] < self.sites["rank_before"])
            & self.sites["available_after"]
        ]
        if best.empty:
            return None
        first = best.index[best["rank_after"] == 1]
        climbed = best["rank_before"] - best["rank_after"]
        return best.loc[first[0] if len(first) else climbed.idxmax()]

    def movers(self, count: int) -> pd.DataFrame:
        """The sites whose score moved most, largest first."""
        moved = (self.sites["score_after"] - self.sites["score_before"]).abs()
        return self.sites.loc[moved.sort_values(ascending=False, kind="stable").index[:count]]


def compare(before: Assessment, after: Assessment, top: int = 10, rural_only: bool = True) -> Difference:
    """Put two assessments of the same territory side by side; `rural_only` keeps the communes rural in both."""
    left, right = (_viable(a.sites).set_index("zone_code") for a in (before, after))
    common = left.index.intersection(right.index)
    joined = gone = 0
    if rural_only:
        was, is_now = (side.loc[common, "rural"].to_numpy(bool) for side in (left, right))
        joined, gone = int((is_now & ~was).sum()), int((was & ~is_now).sum())
        common = common[was & is_now]
    left, right = left.loc[common], right.loc[common]
    sites = pd.DataFrame(
        {
            "zone_code": common, "name": left["name"].to_numpy(), "rural": left["rural"].to_numpy(),
            "rank_before": _rank(left), "rank_after": _rank(right),
            "score_before": left["score"].to_numpy(float), "score_after": right["score"].to_numpy(float),
            "available_before": left["available"].to_numpy(bool), "available_after": right["available"].to_numpy(bool),
            "viable_before": left["viable"].to_numpy(bool), "viable_after": right["viable"].to_numpy(bool),
            "sure": (left["rank_high"].to_numpy() < right["rank_low"].to_numpy())
            | (right["rank_high"].to_numpy() < left["rank_low"].to_numpy()),
        }
    )  # fmt: skip
    best = min(top, len(sites))
    kept = int(((sites["rank_before"] <= best) & (sites["rank_after"] <= best)).sum())
    correlation = float("nan")
    if len(sites) > 2:
        ranks = sites[["rank_before", "rank_after"]].to_numpy(float)
        if (ranks.std(axis=0) > 0).all():
            correlation = float(np.corrcoef(ranks.T)[0, 1])
    totals = {name: (before.totals[name], after.totals[name]) for name in before.totals if name in after.totals}
    return Difference(sites, totals, best, kept, correlation, joined, gone)


def _viable(sites: pd.DataFrame) -> pd.DataFrame:
    viable = (sites["viability"] >= 1.0) & sites["enough_users"] & sites["available"]
    return sites.assign(viable=viable)


def _rank(sites: pd.DataFrame) -> np.ndarray:
    """Rank by score among these sites, 1 is best, equal scores in their own order; refused ones last."""
    order = np.lexsort((-sites["score"].to_numpy(float), ~sites["available"].to_numpy(bool)))
    rank = np.empty(len(sites), dtype=np.int64)
    rank[order] = np.arange(1, len(sites) + 1)
    return rank
