"""The page Hypothèses: every parameter, what was changed, what the calibration reached."""

from __future__ import annotations

import html
import tomllib
from collections.abc import Iterable
from functools import lru_cache

import streamlit as st

from coopconnect.model.types import Calibration
from coopconnect.parameters import DATA_DIR, Parameter
from coopconnect.scenario import NUMERIC_LEVERS, parameter_values
from coopconnect.show.describe import changes, with_parameter_unit
from coopconnect.show.words import hours, known, number, percent, say, unit_name
from coopconnect.ui import cached, state
from coopconnect.ui.frame import Page
from coopconnect.ui.widget_key import key_for

VALIDATION_FILE = DATA_DIR / "validation.toml"
FOUR = ("hub_share_reference", "substitution_reference", "home_unsuitable_share", "fuel_price_elasticity")
"""The numbers to argue about; the last gives the scale of the choice."""


def draw_title(page: Page) -> None:
    """Title and one sentence."""
    st.title(page.say("assume.title"), anchor=False)
    st.html(f'<p class="lead">{html.escape(page.say("assume.lead"))}</p>')


def draw_four(page: Page) -> None:
    """The four numbers to argue about, editable, first."""
    st.subheader(page.say("assume.four"), anchor=False)
    st.caption(page.say("assume.four_why"))
    for column, key in zip(st.columns(len(FOUR), gap="medium"), FOUR, strict=True):
        with column:
            draw_editor(page, page.parameters[key])


def draw_editor(page: Page, item: Parameter) -> None:
    """One parameter: a number field within its bounds, its source, the way back."""
    low, high = item.bounds()
    value = value_of(page, item.key)
    times = shown_times(item)
    field = round(value * times, 10)
    key = key_for(f"assume_{item.key}", field)
    unit = unit_name(item.unit, page.language)
    st.number_input(
        f"{item.label(page.language)} ({unit})" if item.unit != "ratio" else item.label(page.language),
        min_value=round(low * times, 10), max_value=round(high * times, 10), step=step_of(item) * times,
        value=field, format="%.10g", key=key, on_change=_edited, args=(item.key, key, times), disabled=low == high,
        help=item.note(page.language) or None,
    )  # fmt: skip
    st.caption(details(page, item))
    if value != item.value:
        shown = with_parameter_unit(item.value, item.key, page.parameters, page.language)
        st.button(
            page.say("assume.reset_one", value=shown), key=f"reset_{item.key}", type="tertiary",
            on_click=state.move, args=(item.key, item.value),
        )  # fmt: skip


def shown_times(item: Parameter) -> float:
    """What a value is multiplied with on the screen: shares are edited as per cent."""
    return 100.0 if item.unit == "share" else 1.0


def _edited(key: str, widget: str, times: float) -> None:
    state.move(key, round(st.session_state[widget] / times, 12))


def value_of(page: Page, key: str) -> float:
    """The value of a parameter in this scenario."""
    return parameter_values(page.scenario, page.parameters)[key]


def step_of(item: Parameter) -> float:
    """Step of the number field: the lever's, else a round twentieth of the range."""
    if item.lever:
        return item.lever.step
    span = item.high - item.low
    if span <= 0.0:
        return 1.0
    return float(f"{span / 20.0:.0e}")


def details(page: Page, item: Parameter) -> str:
    """Range, source, status and review date of a parameter, in Markdown-safe text."""
    low, high = (with_parameter_unit(v, item.key, page.parameters, page.language) for v in item.bounds())
    between = page.say("assume.range_text", low=low, high=high)
    status = page.say(f"status.{item.status}")
    text = page.say(
        "assume.details",
        source=item.source_in(page.language),
        status=status[0].upper() + status[1:],
        review=item.review_by.isoformat().replace("-", "\u2011"),
    )
    return f"{between[0].upper()}{between[1:]}. {text}".replace("$", "\\$").replace("~", "\\~").replace("[", "\\[")


def draw_changed(page: Page) -> None:
    """What differs from the reference, and the way back."""
    found = changes(page.scenario, page.parameters, page.language)
    st.subheader(page.say("assume.changed"), anchor=False)
    if not found:
        st.caption(page.say("assume.unchanged"))
        return
    rows = [(name, value, page.say("bar.before", value=before)) for name, value, before in found]
    st.html(table_html((page.say("assume.name"), page.say("assume.value"), ""), rows))
    st.button(page.say("assume.reset_all"), key="reset_all", on_click=state.reset)


def draw_calibration(page: Page) -> None:
    """Targets asked and reached, and what could not hold."""
    calibration = cached.assessment(page.scenario).calibration
    st.subheader(page.say("assume.calibration"), anchor=False)
    st.caption(page.say("assume.calibration_why"))
    head = tuple(page.say(f"assume.{name}") for name in ("target", "wanted", "reached"))
    st.html(table_html(head, calibration_rows(page, calibration), numbers=(1, 2)))
    found = calibration.reached
    st.caption(
        page.say(
            "assume.besides", rural=number(found["fuel_price_elasticity_all_rural"], page.language, 2),
            share=percent(found["reference_user_substitution"], page.language),
            hours=hours(found["reference_user_hours"], page.language),
            replaced=hours(found["reference_user_hours_if_all_replaced"], page.language),
        )
    )  # fmt: skip
    messages = calibration.messages_en if page.language == "en" else calibration.messages_fr
    for message in messages or (page.say("assume.holds"),):
        st.caption(message)


def calibration_rows(page: Page, calibration: Calibration) -> list[tuple[str, str, str]]:
    """Name, asked, reached of each target."""

    def name(key: str) -> str:
        if known(f"target.{key}"):
            return page.say(f"target.{key}")
        return page.parameters[key].label(page.language) if key in page.parameters else key

    def shown(key: str, value: float | None) -> str:
        if value is None or key not in page.parameters:
            return number(value, page.language, 3)
        return with_parameter_unit(round(value, 6), key, page.parameters, page.language)

    return [(name(k), shown(k, v), shown(k, calibration.reached.get(k))) for k, v in calibration.targets.items()]


def draw_all(page: Page) -> None:
    """Every parameter by group in a table, and one editor for the one chosen."""
    st.subheader(page.say("assume.all"), anchor=False)
    built = {key for key, item in page.parameters.items() if item.status == "fitted"}  # a new build changes them
    keys = [k for k in page.parameters if k not in built and not (k in NUMERIC_LEVERS and k.startswith("weight_"))]
    labels = {key: page.parameters[key].label(page.language) for key in keys}
    chosen = st.selectbox(
        page.say("assume.edit"), sorted(keys, key=lambda k: labels[k].casefold()), index=None, key="assume_pick",
        format_func=lambda k: labels[k], placeholder=page.say("home.pick"),
    )  # fmt: skip
    if chosen and chosen not in FOUR:
        draw_editor(page, page.parameters[str(chosen)])
    groups: dict[str, list[Parameter]] = {}
    for item in page.parameters.values():
        groups.setdefault(item.group, []).append(item)
    st.html("".join(_group_html(page, group, items) for group, items in groups.items()))


def _group_html(page: Page, group: str, items: Iterable[Parameter]) -> str:
    names = ("name", "value", "range", "source", "status", "review")
    head = tuple(page.say(f"assume.{name}") for name in names)
    rows = [_row(page, item) for item in items]
    key = f"group.{group}"
    title = html.escape(page.say(key) if known(key) else group)
    opened = " open" if group == "behaviour" else ""
    body = table_html(head, rows, numbers=(1,), stacked=True)
    return f'<details class="group"{opened}><summary>{title} ({len(rows)})</summary>{body}</details>'


def _row(page: Page, item: Parameter) -> tuple[str, ...]:
    language = page.language
    value = value_of(page, item.key)
    shown = with_parameter_unit(value, item.key, page.parameters, language)
    low, high = (with_parameter_unit(v, item.key, page.parameters, language) for v in (item.low, item.high))
    source = item.source_in(language)
    if item.url:
        source = f"{source} – {item.url}"
    note = item.note(language)
    return (
        item.label(language) + (" *" if value != item.value else ""), shown, f"{low} – {high}",
        f"{source}. {note}" if note else source, page.say(f"status.{item.status}"), item.review_by.isoformat().replace("-", "\u2011"),
    )  # fmt: skip


def draw_validation(page: Page) -> None:
    """How good the modelled data are, against observed data that the fit did not see."""
    st.subheader(page.say("assume.validation"), anchor=False)
    st.caption(page.say("assume.validation_why"))
    rows = [
        (
            figure[f"what_{page.language}"],
            written(figure["value"], page.language),
            goal_cell(page, figure["value"], figure["goal"]),
        )
        for figure in validation_figures()
    ]
    head = (page.say("assume.measure"), page.say("assume.reached"), page.say("assume.wanted"))
    st.html(table_html(head, rows, numbers=(1, 2)))
    st.caption(page.say("assume.validation_bias"))
    st.caption(page.say("validation.shipped"))
    if (told := what_it_does_to_the_result(page.language)) is not None:
        st.html(f"<p>{html.escape(told)}</p>")
    shipped = [
        (figure[f"what_{page.language}"], written(figure["value"], page.language)) for figure in shipped_figures()
    ]
    st.html(table_html(head[:2], shipped, numbers=(1,)))


def what_it_does_to_the_result(language: str) -> str | None:
    """What the lines on sites say, in a sentence; None where `validate sites` was not run."""
    found = tomllib.loads(VALIDATION_FILE.read_text(encoding="utf-8")).get("result")
    return say("validation.result", language, **{k: written(v, language) for k, v in found.items()}) if found else None


def goal_cell(page: Page, value: str, goal: str) -> str:
    """The goal as the language writes it, and that it is missed where it is; nothing where there is none."""
    shown = written(goal, page.language)
    return shown if not goal or reached(value, goal) else page.say("assume.missed", goal=shown)


def reached(value: str, goal: str) -> bool:
    """Whether '21 %' reaches '≤ 20 %'. Both begin with a number of the same unit, after the sign of the goal (≤ or ≥)."""
    found, asked = float(value.split()[0]), float(goal.split()[1])
    return found <= asked if goal.startswith("≤") else found >= asked


@lru_cache(maxsize=1)
def validation_figures() -> tuple[dict[str, str], ...]:
    """Entries of `data/validation.toml`."""
    return tuple(tomllib.loads(VALIDATION_FILE.read_text(encoding="utf-8"))["figure"])


@lru_cache(maxsize=1)
def shipped_figures() -> tuple[dict[str, str], ...]:
    """What `validate all --write` found, in `data/validation.toml`."""
    return tuple(tomllib.loads(VALIDATION_FILE.read_text(encoding="utf-8"))["shipped"])


def written(figure: str, language: str) -> str:
    """A figure of the file as the language writes it: '91.9 %' is '91,9 %' in French."""
    return figure.replace(".", ",").replace(" ", "\u202f") if language == "fr" else figure.replace(" %", "%")


def table_html(
    head: tuple[str, ...],
    rows: Iterable[tuple[str, ...]],
    numbers: tuple[int, ...] = (),
    red: bool = False,
    stacked: bool = False,
) -> str:
    """A plain table; every text is escaped; columns of `numbers` stand to the right, negative ones `red` if asked.

    stacked: on a phone each row is a block, each filled cell under the name of its column.
    """
    top = "".join(
        f'<th class="num">{html.escape(text)}</th>' if n in numbers else f"<th>{html.escape(text)}</th>"
        for n, text in enumerate(head)
    )

    def cell(n: int, text: str) -> str:
        bad = " bad" if red and text.startswith("−") else ""
        name = f' data-head="{html.escape(head[n])}"' if stacked and n else ""
        mark = f' class="num{bad}"' if n in numbers else ""
        return f"<td{mark}{name}>{html.escape(text)}</td>"

    body = "".join("<tr>" + "".join(cell(n, text) for n, text in enumerate(row)) + "</tr>" for row in rows)
    style = "plain stacked" if stacked else "plain"
    return (
        f'<div class="scroll"><table class="{style}"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'
    )
