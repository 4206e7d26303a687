"""Who gains and who loses, of all households: counts, distribution, distance, density, communes."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from streamlit.errors import StreamlitAPIException

from coopconnect.model.household_groups import KINDS, HouseholdGroups, per_site
from coopconnect.model.runs import per
from coopconnect.model.types import Range
from coopconnect.show import charts, household_charts
from coopconnect.show.household_charts import count, gained_and_lost, kind_of
from coopconnect.show.weeks import writer
from coopconnect.show.words import number, percent
from coopconnect.ui import cached, state
from coopconnect.ui.chart_block import draw_chart
from coopconnect.ui.frame import Page, query_of
from coopconnect.ui.futures import groups_in_draws, ranges_words
from coopconnect.ui.sight import in_sight
from coopconnect.ui.state import GAINS
from coopconnect.ui.widget_key import key_for

PLACE_PX = 1200
TABLE_PX = 460
UNITS = {"hours": "h", "eur": "€", "eur_after_price": "€", "kg_co2e": "kg"}


def draw_everyone(page: Page) -> None:
    """The second half of the page, worked out once it comes in sight."""
    st.html(f'<h2 class="title">{html.escape(page.say("house.everyone"))}</h2>')
    _draw_choices(page)
    if not in_sight("everyone", page.say("house.wait"), PLACE_PX):
        return
    early: list[HouseholdGroups] = []

    def draw_early(groups: HouseholdGroups) -> None:
        early.append(groups)
        _draw_groups(page, groups)

    groups = groups_of(page, draw_early)
    if early:  # drawn without ranges: again, with them
        st.rerun()
    _draw_groups(page, groups_in_draws(page, groups))


def _draw_groups(page: Page, groups: HouseholdGroups) -> None:
    _draw_scope(page, groups)
    if groups.totals["users"].value <= 0.0:
        st.html(f'<p class="hint">{html.escape(page.say("house.no_users"))}</p>')
        return
    st.html(counts_html(page, groups))
    _draw_charts(page, groups)
    _draw_communes(page, groups)


def site_of(page: Page) -> str:
    """Code of the chosen site, '' for the rural sites together."""
    site = cached.assessment(page.scenario).site(page.view.selected) if page.view.selected else None
    return "" if site is None else str(site["zone_code"])


def groups_of(page: Page, first: Callable[[HouseholdGroups], None] | None = None) -> HouseholdGroups:
    """The households of the chosen site, or of the rural sites; what takes long says how far it is.

    first: draws the central figures of a large territory, while their ranges are worked out.
    """
    place = st.empty()

    def tell(done: int, total: int) -> None:
        place.progress(done / total, page.say("house.passes", done=done, total=total))

    found = cached.households(page.scenario, site_of(page), tell, first)
    place.empty()
    return found


def _name(groups: HouseholdGroups, page: Page) -> str:
    if not groups.site_code:
        return ""
    site = cached.assessment(page.scenario).site(groups.site_code)
    return "" if site is None else str(site["name"])


def _draw_choices(page: Page) -> None:
    """What is measured, and of whom."""
    view, language = page.view, page.language
    with st.container(key="gainchoices", horizontal=True, vertical_alignment="bottom"):
        for field, options, value, label in (
            ("gain", GAINS, view.gain, lambda name: page.say(f"house.measure_{name}")),
            ("truly", (False, True), view.truly, lambda on: page.say(f"house.reading_{'truly' if on else 'average'}")),
        ):
            key = key_for(f"{field}_{language}", value)
            st.segmented_control(
                page.say("house.measure" if field == "gain" else "house.reading"), options, default=value, key=key,
                required=True, format_func=label, on_change=_chosen, args=(field, key), wrap=True,
            )  # fmt: skip


def _chosen(field: str, key: str) -> None:
    if st.session_state[key] is not None:
        state.look(**{field: st.session_state[key]})


def _draw_scope(page: Page, groups: HouseholdGroups) -> None:
    with st.container(key="scope", horizontal=True, vertical_alignment="center"):
        if groups.site_code:
            minutes = number(page.scenario.access_max_min, page.language)
            text = page.say("house.scope_site", name=_name(groups, page), minutes=minutes)
        else:
            territory = cached.territory(page.scenario.territory).name
            text = page.say(
                "house.scope_pool", sites=number(len(groups.site_codes), page.language), territory=territory
            )
        st.html(f'<p class="scope">{html.escape(text)}</p>', width="stretch")
        if groups.site_code:
            st.button(page.say("house.all_sites"), key="all_sites", on_click=state.select, args=(None,))


def counts_html(page: Page, groups: HouseholdGroups) -> str:
    """Four figures: users, those who gain, those who lose, the mean; each with its range."""
    language, sites = page.language, max(len(groups.site_codes), 1)
    measure, kind = page.view.gain, kind_of(page.view.truly)
    users = groups.totals["users"]

    def between(found: Range, write: Any) -> str:
        if not groups.ranged:
            return page.say("house.range_coming")
        key, draws = "figure.between_drawn" if groups.drawn else "house.between", number(groups.drawn, language)
        return page.say(key, low=write(found.low), high=write(found.high), draws=draws)

    def households(found: Range) -> str:
        return between(Range(*(v / sites for v in (found.low, found.value, found.high))), lambda v: count(v, language))

    def card(kind: str, label: str, value: str, ends: str, note: str) -> str:
        lines = (("label", label), ("number", value), ("between", ends), ("note", note))
        return (
            f'<div class="{kind}">' + "".join(f'<span class="{c}">{html.escape(t)}</span>' for c, t in lines) + "</div>"
        )

    reach = number(groups.totals["households"].value / sites, language)
    cards = card("", page.say("house.users"), count(users.value / sites, language), households(users),
                 page.say("house.users_note", households=reach))  # fmt: skip
    for end, value in zip(("up", "down"), gained_and_lost(groups, measure, page.view.truly), strict=True):
        share = percent(value * sites / users.value, language)
        ends = households(groups.totals[f"{measure}{kind}_{end}_users"])
        cards += card(
            end, page.say(f"house.{end}"), count(value, language), ends, page.say("house.share_of_users", share=share)
        )
    mean, write = groups.totals[f"{measure}{kind}_per_user"], writer(measure, language)
    spread = groups.totals[f"{measure}{kind}_per_household"].value
    spread_text = f"{number(spread, language, 2)}\u00a0{UNITS[measure]}"
    cards += card(
        "bad" if mean.value < 0 else "", page.say("house.mean"), write(mean.value), between(mean, write),
        page.say("house.mean_note", spread=spread_text),
    )  # fmt: skip
    why = page.say("house.counted_why_site" if groups.site_code else "house.counted_why")
    kind_told = ranges_words(page, groups.drawn) if groups.ranged else ""
    return f'<div class="counts">{cards}</div><p class="banner">{html.escape(f"{why} {kind_told}".strip())}</p>'


def _draw_charts(page: Page, groups: HouseholdGroups) -> None:
    measure, truly, name = page.view.gain, page.view.truly, _name(groups, page)
    asked = (groups, measure, truly, name, page.language, page.view.projector)
    left, right = st.columns(2, gap="medium")
    with left:
        _draw_chart(page, household_charts.gains(*asked), "gains")
        st.html(deciles_html(page, groups))
    with right:
        _draw_chart(page, household_charts.by_distance(*asked), "bands")
        _draw_chart(page, household_charts.by_density(*asked), "density")


def _draw_chart(page: Page, figure: go.Figure, key: str) -> None:
    """One chart, its title above it as text, a summary for who does not see it."""
    draw_chart(figure, f"chart_{key}", charts.chart_config(page.language, f"coopconnect-{key}"))


def deciles_html(page: Page, groups: HouseholdGroups) -> str:
    """Deciles of the measure, the two readings side by side."""
    write, measure = writer(page.view.gain, page.language), page.view.gain
    heads = (page.say("house.decile"), page.say("house.reading_average"), page.say("house.reading_truly"))
    head = "".join(
        f'<th scope="col"{" class=num" if k else ""}>{html.escape(text)}</th>' for k, text in enumerate(heads)
    )
    rows = ""
    for k, row in groups.deciles.iterrows():
        cells = ""
        for name in (f"{measure}{kind}" for kind in KINDS):
            value, range_told = float(row[name]), ""
            if groups.ends is not None:
                low, high = (write(float(end.deciles[name].iloc[int(k)])) for end in groups.ends)
                range_told = f"<small>{html.escape(page.say('house.range', low=low, high=high))}</small>"
            cells += f'<td class="num{" loss" if value < 0 else ""}">{html.escape(write(value))}{range_told}</td>'
        first = page.say("house.decile_row", decile=f"{row['decile']:.0f}")
        rows += f'<tr><th scope="row">{html.escape(first)}</th>{cells}</tr>'
    title, kind_told = html.escape(page.say("house.deciles")), html.escape(_ranges_told(page, groups))
    return (
        f'<details class="group" open><summary>{title}</summary><table class="plain deciles"><thead><tr>{head}</tr></thead>'
        f'<tbody>{rows}</tbody></table><p class="hint">{kind_told}</p></details>'
    )


def _ranges_told(page: Page, groups: HouseholdGroups) -> str:
    """What the ranges of a table are; without draws, that it is the reference case alone."""
    return page.say("house.chart.reference") if groups.ends is None else ranges_words(page, groups.drawn)


def commune_rows(groups: HouseholdGroups, measure: str, truly: bool) -> pd.DataFrame:
    """Communes of residence, most users first: for one site, or an average one of those within reach."""
    table, name = groups.communes, f"{measure}{kind_of(truly)}"
    users = table["users"].to_numpy(float)
    means = np.divide(table[f"{name}_per_year"].to_numpy(float), users, out=np.zeros(users.size), where=users > 0.0)
    rows = pd.DataFrame(
        {
            "zone_code": table["zone_code"],
            "commune": table["name"],
            "departement": table["departement"],
            "rural": table["rural"],
            "households": per_site(table, "households"),
            "users": per_site(table, "users").round(1),
            "up": per_site(table, f"{name}_up_users").round(1),
            "down": per_site(table, f"{name}_down_users").round(1),
            "mean": means.round(0) + 0.0,
        }
    )
    for k, (end, told) in enumerate(zip(("low", "high"), groups.ends or (), strict=False), start=1):
        if told.communes is not None:  # right of the figure that they are the range of
            users_told = per(told.communes["users"].to_numpy(float), table["sites"].to_numpy(float)).round(1)
            rows.insert(rows.columns.get_loc("users") + k, f"users_{end}", users_told)
            mean_told = told.communes[f"{name}_per_user"].to_numpy(float).round(0) + 0.0
            rows.insert(rows.columns.get_loc("mean") + k, f"mean_{end}", mean_told)
    return rows.sort_values("users", ascending=False, kind="stable").reset_index(drop=True)


def _draw_communes(page: Page, groups: HouseholdGroups) -> None:
    """Every commune of residence; a click on a row chooses the commune, here and on Décider."""
    note = page.say("house.communes_note_site" if groups.site_code else "house.communes_note")
    title = html.escape(page.say("house.communes"))
    rows = commune_rows(groups, page.view.gain, page.view.truly)
    if groups.ends is None:
        kind_told = page.say("house.chart.reference")
    elif "users_low" in rows:
        kind_told = page.say("house.communes_drawn", draws=number(groups.drawn, page.language))
    else:
        kind_told = page.say("house.communes_too_many")
    st.html(f'<div class="chart"><h3>{title}</h3><p>{html.escape(f"{note} {kind_told}")}</p></div>')
    c = st.column_config
    say = page.say
    key = f"communes_{page.language}_{groups.site_code}"
    codes = rows["zone_code"].tolist()
    st.dataframe(
        rows, key=key, hide_index=True, height=TABLE_PX, selection_mode="single-row",
        on_select=lambda: _row_chosen(page, key, codes),
        column_config={
            "zone_code": None,
            "commune": c.TextColumn(say("house.column_commune"), pinned=True),
            "departement": c.TextColumn(say("house.column_departement"), width="small"),
            "rural": c.CheckboxColumn(say("house.column_rural"), width="small"),
            "households": c.NumberColumn(say("house.column_households"), format="localized"),
            "users": c.NumberColumn(say("house.column_users"), format="localized"),
            "users_low": c.NumberColumn(say("house.column_users_low"), format="localized"),
            "users_high": c.NumberColumn(say("house.column_users_high"), format="localized"),
            "up": c.NumberColumn(say("house.column_up"), format="localized"),
            "down": c.NumberColumn(say("house.column_down"), format="localized"),
            "mean": c.NumberColumn(say("house.column_mean", unit=UNITS[page.view.gain]), format="localized"),
            "mean_low": c.NumberColumn(say("house.column_mean_low"), format="localized"),
            "mean_high": c.NumberColumn(say("house.column_mean_high"), format="localized"),
        },
    )  # fmt: skip
    if groups.site_code:
        _draw_way_to_map(page, _name(groups, page))


def _row_chosen(page: Page, key: str, codes: list[str]) -> None:
    rows = st.session_state[key]["selection"]["rows"]
    if rows and cached.assessment(page.scenario).site(codes[rows[0]]) is not None:
        state.select(codes[rows[0]])


def _draw_way_to_map(page: Page, name: str) -> None:
    label = page.say("house.show_on_map", name=name)
    try:
        st.page_link("pages/decider.py", label=label)
    except StreamlitAPIException:  # a page run on its own does not know the others
        st.html(f'<a href="decider?{html.escape(query_of(page.session))}" target="_self">{html.escape(label)}</a>')
