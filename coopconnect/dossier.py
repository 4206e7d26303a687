"""What a project holder writes beside the figures: answers, remarks, notes and photos of each site.

Nothing here enters a formula. It travels in the scenario file, not in the address: notes and photos may be private.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from coopconnect.problem import Problem, ProblemsError, quoted

GATES = ("fibre", "host", "users", "lead")
"""What must hold before a site opens, outside any weight. 'host' and 'users' follow from hosts and named users."""

ASKED_GATES = ("fibre", "lead")
"""Gates that the project holder answers."""

CHECKLIST = ("steering", "support", "welcome", "offer", "communication")
"""The human side: pilotage, accompagnement organisationnel, accueil, offre, communication."""

ANSWERS = ("yes", "partly", "no")
"""What may be answered; a question without an answer is not stored."""

ASKED_OF = ("users", "residents")
"""Who may answer a survey: people who come to an open hub, or residents who have one within reach."""

MOST_NOTES = 5_000
MOST_PHOTOS = 6
PHOTO_MAX_PX = 1400
_PHOTO_QUALITY = 82
_MOST_PIXELS = 60_000_000


class DossierError(ProblemsError):
    """Something cannot be kept in the dossier: what, what is allowed, what to do."""


@dataclass(frozen=True)
class Photo:
    """A picture, JPEG, without the place and camera that the original may carry."""

    name: str
    content: bytes
    caption: str = ""


@dataclass(frozen=True)
class SiteNotes:
    """What is known of one site. answers, remarks: (question, text) sorted by question; named_users: people named."""

    zone_code: str
    answers: tuple[tuple[str, str], ...] = ()
    remarks: tuple[tuple[str, str], ...] = ()
    named_users: int = 0
    notes: str = ""
    photos: tuple[Photo, ...] = ()

    def answer(self, question: str) -> str:
        """The answer to a question, '' where there is none."""
        return dict(self.answers).get(question, "")

    def remark(self, question: str) -> str:
        """What was written beside a question."""
        return dict(self.remarks).get(question, "")

    def with_answer(self, question: str, answer: str) -> SiteNotes:
        """A copy with one answer set; '' takes it back. Raises `DossierError` for what is not a question or answer."""
        if question not in (*ASKED_GATES, *CHECKLIST) or answer not in ("", *ANSWERS):
            asked = ", ".join((*ASKED_GATES, *CHECKLIST))
            given = f"{question} = {quoted(answer)}"
            raise DossierError(Problem("answer", "answers", allowed=", ".join(ANSWERS), questions=asked, given=given))
        return replace(self, answers=_put(self.answers, question, answer))

    def with_remark(self, question: str, text: str) -> SiteNotes:
        """A copy with one remark set."""
        if question not in (*ASKED_GATES, *CHECKLIST):
            raise DossierError(Problem("question", "remarks", given=quoted(question)))
        return replace(self, remarks=_put(self.remarks, question, text.strip()[:MOST_NOTES]))

    @property
    def empty(self) -> bool:
        """True where nothing was written."""
        return self == SiteNotes(self.zone_code)


@dataclass(frozen=True)
class SurveySums:
    """What is kept of a survey: sums over its answers, nothing of anybody.

    asked: 'users' of an open hub, or 'residents' with a hub within reach; answers, users: people, and those who use a
    hub; days: hub days a week, days_squared the sum of their squares; replaced_days: those that replace a day at the
    office, car_days those of people who drive alone. commute_km, access_km: sums of days times km, over the days of
    those who gave the km (commute_days, access_days).
    """

    asked: str
    answers: int
    users: int
    days: float
    days_squared: float
    replaced_days: float
    car_days: float = 0.0
    commute_km: float = 0.0
    commute_days: float = 0.0
    access_km: float = 0.0
    access_days: float = 0.0

    def problem(self) -> Problem | None:
        """What cannot be in these sums, None where all can."""
        numbers = [getattr(self, f.name) for f in fields(self) if f.name != "asked"]
        if self.asked not in ASKED_OF:
            return Problem("choice", "asked", allowed=", ".join(ASKED_OF), given=quoted(self.asked))
        if not all(isinstance(n, (int, float)) and not isinstance(n, bool) and 0.0 <= n < 1e9 for n in numbers):
            return Problem("sums")
        if self.users > self.answers or self.replaced_days > self.days or self.car_days > self.days:
            return Problem("sums_order")
        return None


@dataclass(frozen=True)
class Dossier:
    """Title and reason of a scenario, what is known of its sites, sorted by code, and the sums of a survey."""

    title: str = ""
    why: str = ""
    sites: tuple[SiteNotes, ...] = ()
    survey: SurveySums | None = None

    def site(self, zone_code: str) -> SiteNotes:
        """What is known of a site; empty notes where nothing is."""
        return next((s for s in self.sites if s.zone_code == zone_code), SiteNotes(zone_code))

    def with_site(self, notes: SiteNotes) -> Dossier:
        """A copy with the notes of one site in place of those before."""
        others = tuple(s for s in self.sites if s.zone_code != notes.zone_code)
        kept = others if notes.empty else (*others, notes)
        return replace(self, sites=tuple(sorted(kept, key=lambda s: s.zone_code)))


def gate_states(notes: SiteNotes, host_agreed: bool | None, core_users: float) -> dict[str, bool | None]:
    """Each gate: True passed, False not passed, None not known yet.

    host_agreed: True where a host agreed, False where all have refused, None otherwise. core_users: named people
    that a place needs before it opens.
    """
    asked: Mapping[str, bool] = {"yes": True, "partly": False, "no": False}
    return {
        "fibre": asked.get(notes.answer("fibre")),
        "host": host_agreed,
        "users": notes.named_users >= core_users,
        "lead": asked.get(notes.answer("lead")),
    }


def shrunk_photo(name: str, content: bytes, caption: str = "") -> Photo:
    """A photo as it is kept: upright, at most `PHOTO_MAX_PX` on its long side, JPEG, without hidden data.

    Raises `DossierError` where the file is not a picture that can be read.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(content)) as opened:
            if opened.width * opened.height > _MOST_PIXELS:
                raise DossierError(Problem("photo_large", name=name, count=_MOST_PIXELS // 1_000_000))
            upright = ImageOps.exif_transpose(opened).convert("RGB")
    except DossierError:
        raise
    except Exception:
        raise DossierError(Problem("photo_kind", name=name)) from None
    upright.thumbnail((PHOTO_MAX_PX, PHOTO_MAX_PX))
    out = io.BytesIO()
    upright.save(out, "JPEG", quality=_PHOTO_QUALITY, optimize=True)
    return Photo(name, out.getvalue(), caption)


def _put(pairs: tuple[tuple[str, str], ...], key: str, text: str) -> tuple[tuple[str, str], ...]:
    kept = {k: v for k, v in pairs if k != key}
    if text:
        kept[key] = text
    return tuple(sorted(kept.items()))
