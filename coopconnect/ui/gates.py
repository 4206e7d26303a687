"""What must hold before a site opens, outside any weight: passed, missing, or to be checked."""

from __future__ import annotations

import html

from coopconnect.dossier import gate_states
from coopconnect.scenario import parameter_values
from coopconnect.show.words import number
from coopconnect.territory.hosts import host_agreed
from coopconnect.ui import cached
from coopconnect.ui.frame import Page

_MARKS = {True: ("passed", "✓"), False: ("failed", "✗"), None: ("open", "?")}


def core_users(page: Page) -> float:
    """Named people that a place needs before it opens."""
    return parameter_values(page.scenario, page.parameters)["core_users_gate"]


def gates_of(page: Page, site_code: str) -> dict[str, bool | None]:
    """Each gate of a site: True passed, False not passed, None not known yet."""
    hosts = cached.hosts(page.scenario.territory)
    mine = hosts[hosts["zone_code"] == site_code]
    agreed = False if site_code in page.scenario.refused else host_agreed(page.scenario, mine)
    return gate_states(page.session.dossier.site(site_code), agreed, core_users(page))


def gate_name(page: Page, gate: str, site_code: str) -> str:
    """A gate as what is lacking: 'la fibre à l'adresse', '3 futurs usagers nommés de plus'."""
    if gate != "users":
        return page.say(f"gate.{gate}")
    lacking = core_users(page) - page.session.dossier.site(site_code).named_users
    return page.say("sheet.gate_users", count=number(max(lacking, 0.0), page.language), core=number(core_users(page), page.language))  # fmt: skip


def gates_sentence(page: Page, gates: dict[str, bool | None], site_code: str) -> str:
    """'Prêt à ouvrir', or what is missing and what is still to be checked."""
    lists = {
        state: ", ".join(gate_name(page, gate, site_code) for gate, found in gates.items() if found is state)
        for state in (False, None)
    }
    if not lists[False] and not lists[None]:
        return page.say("sheet.ready")
    said = [page.say("sheet.missing", gates=lists[False])] if lists[False] else [page.say("sheet.not_ready")]
    if lists[None]:
        said.append(page.say("sheet.to_check", gates=lists[None]))
    return " ".join(said)


def gates_html(page: Page, site_code: str) -> str:
    """The sentence, and the four gates with their marks; every text is escaped."""
    gates = gates_of(page, site_code)
    items = "".join(
        f'<li class="{_MARKS[found][0]}"><i aria-hidden="true">{_MARKS[found][1]}</i> '
        f"{html.escape(page.say(f'sheet.gate.{gate}'))} "
        f"<small>{html.escape(page.say(f'sheet.gate_{_MARKS[found][0]}'))}</small></li>"
        for gate, found in gates.items()
    )
    ready = " ready" if all(gates.values()) else ""
    sentence = html.escape(gates_sentence(page, gates, site_code))
    return f'<div class="gates{ready}"><p><b>{sentence}</b></p><ul>{items}</ul></div>'
