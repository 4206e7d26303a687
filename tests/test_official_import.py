"""Files of publishers and of users: read in any dress, everything wrong told at once, nothing dropped in silence."""

from __future__ import annotations

import gzip
import io
import re
import zipfile
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from bpe_lines import BPE_2025, facility
from hypothesis import given, settings
from hypothesis import strategies as st

from coopconnect.parameters import DATA_DIR
from coopconnect.territory.official.catalogue import load_catalogue
from coopconnect.territory.official.codes import SPLIT_SINCE, CodeMap
from coopconnect.territory.official.kinds import Imported, guess, import_file, read_table
from coopconnect.territory.official.reading import ReadingError, preview, read_raw
from coopconnect.territory.official.store import Store

CODES = CodeMap.load(DATA_DIR / "territory")
DAY = date(2026, 11, 23)


def take(text: str | bytes, name: str = "file.csv", **given_: object) -> Imported:
    content = text.encode("utf-8") if isinstance(text, str) else text
    return import_file(content, name, codes=CODES, today=DAY, **given_)  # type: ignore[arg-type]


# ---- codes ----


@pytest.mark.parametrize(
    ("code", "today", "kind"),
    [
        ("84003", "84003", "today"), (" 84003 ", "84003", "today"), ("1001", "01001", "today"), ("2a004", "2A004", "today"),
        ("13201", "13055", "district"), ("75120", "75056", "district"), ("97105", "", "overseas"), ("BE062", "", "abroad"),
        ("99999", "", "abroad"), ("MONAC", "", "abroad"), ("00000", "", "unknown"), ("", "", "unknown"),
    ],
)  # fmt: skip
def test_codes(code: str, today: str, kind: str) -> None:
    assert CODES.one(code) == today
    assert CODES.kind(code) == kind


def test_every_former_code_leads_to_a_commune_of_today() -> None:
    assert set(CODES.former.values()) <= CODES.current
    assert len(CODES.former) > 4000


def test_communes_that_have_split_are_those_that_the_build_found() -> None:
    lines = (DATA_DIR / "SOURCES.md").read_text(encoding="utf-8").splitlines()
    found = [re.fullmatch(r"- (\w{5}): split since 2021, its census is shared with (.+)", line) for line in lines]
    told = {child: match[1] for match in found if match for child in match[2].split(", ")}
    assert told == SPLIT_SINCE


def test_a_file_of_before_a_split_says_what_it_still_holds_together(shared_data: Path) -> None:
    found = import_file(
        (shared_data / "insee" / "base_cc_comparateur_csv.zip").read_bytes(), "base.zip", codes=CODES, today=DAY
    )
    notes = [note for note in found.label.notes_en if "which they have left since" in note]
    assert len(notes) == 2
    counted = [
        int(match[1]) for note in notes if (match := re.match(r"85165, 85212: .* 85084 \((\d+) workers\)", note))
    ]
    assert counted[0] == pytest.approx(4000, rel=0.3)
    flows = take("origine;destination;actifs\n60054;60057;12\n60694;60057;5\n85084;85084;30\n")
    assert [note[:12] for note in flows.label.notes_fr if "quittée" in note] == ["85165, 85212"]


def test_every_code_of_the_census_of_2018_is_placed(shared_data: Path) -> None:
    raw = read_raw(shared_data / "insee" / "base_cc_comparateur_csv.zip", "base.zip")
    kinds = CODES.kinds(raw.frame["CODGEO"])
    assert set(kinds) == {"today", "former", "district", "overseas"}
    assert (kinds == "former").sum() == 102


# ---- real files ----


@pytest.mark.parametrize(
    ("path", "table", "rows", "year"),
    [
        ("anct/densite.csv.gz", "density", 34742, ""),
        ("insee/base_cc_comparateur_csv.zip", "margins", 34739, "2018"),
        ("insee/flux_domicile_travail_isere_2017.csv", "flows", 13067, "2017"),
        ("places/liste-fs-20240801.csv", "places", 2726, ""),
        ("places/lieux_mediation_numerique_sud_20230516.csv", "places", 792, ""),
        ("travel_time/isere_512_communes_osrm_car_seconds.csv", "travel", 261632, ""),
    ],
)
def test_real_files_are_known_read_and_kept(
    shared_data: Path, tmp_path: Path, path: str, table: str, rows: int, year: str
) -> None:
    file = shared_data / path
    found = import_file(file, file.name, codes=CODES, today=DAY)
    assert (found.table, len(found.frame), found.label.year) == (table, rows, year)  # type: ignore[arg-type]
    assert found.usable
    Store(tmp_path).save(found.frame, found.label)  # type: ignore[arg-type]
    assert Store(tmp_path).labels()[table].rows == rows


def test_totals_of_the_comparator(shared_data: Path) -> None:
    """France without overseas, cities counted once: 26.07 million employed residents, 26.37 million jobs in 2018."""
    file = shared_data / "insee" / "base_cc_comparateur_csv.zip"
    frame = import_file(file, file.name, codes=CODES).frame
    assert frame is not None
    with zipfile.ZipFile(file) as archive:
        raw = pd.read_csv(archive.open("base_cc_comparateur.CSV"), sep=";", dtype={"CODGEO": str})
    district = raw["CODGEO"].str.match(r"751(0[1-9]|1\d|20)|6938\d|132(0[1-9]|1[0-6])")
    mainland = raw[~raw["CODGEO"].str.startswith("97") & ~district]
    expected = (mainland["P18_ACT1564"] - mainland["P18_CHOM1564"]).sum()
    assert frame["workers"].sum() == pytest.approx(expected, rel=1e-9)
    assert frame["jobs"].sum() == pytest.approx(mainland["P18_EMPLT"].sum(), rel=1e-9)
    assert "75056" in set(frame["zone_code"])


def test_flows_that_stop_at_a_border_are_said_to(shared_data: Path) -> None:
    name = "flux_domicile_travail_isere_2017.csv"
    found = import_file(shared_data / "insee" / name, name, codes=CODES, today=DAY)
    assert found.frame is not None
    assert re.match(r"these flows hold only [78]\d% of the workers of their communes", found.label.notes_en[0])
    shipped = pd.read_parquet(DATA_DIR / "territory" / "communes.parquet", columns=["zone_code", "workers"])
    whole = shipped[shipped["zone_code"].isin(found.frame["home_code"])]
    lines = "\n".join(f"{code};{code};{workers}" for code, workers in whole.itertuples(index=False))
    assert take("residence;travail;actifs\n" + lines).label.notes_en == ()


def test_flows_of_isere_are_all_placed(shared_data: Path) -> None:
    file = shared_data / "insee" / "flux_domicile_travail_isere_2017.csv"
    found = import_file(file, file.name, codes=CODES)
    assert found.label.placed == pytest.approx(444_656)
    assert found.label.unplaced == 0
    assert found.problems == ()


def test_a_file_of_another_kind_is_told_what_can_be_read(shared_data: Path) -> None:
    file = shared_data / "insee" / "table-appartenance-geo-communes-22.xlsx"
    with pytest.raises(ReadingError) as caught:
        import_file(file, file.name, codes=CODES)
    assert "CODGEO, LIBGEO" in caught.value.message_fr
    assert "flux domicile-travail" in caught.value.message_fr
    assert "commuting flows" in caught.value.message_en


# ---- what is wrong, all at once ----

FLOWS = """CODGEO;LIBGEO;DCLT;L_DCLT;NBFLUX_C22_ACTOCC15P
84003;Apt;84003;Apt;1 234,5
84003;Apt;84035;Cavaillon;80
84003;Apt;BE062;Belgique;3
84003;Apt;97411;Saint-Denis;2
00000;Nulle part;84003;Apt;4
84003;Apt;84003;Apt;10
84035;Cavaillon;84003;Apt;beaucoup
84035;Cavaillon;84003;Apt;-7
84035;Cavaillon;84003
84035;Cavaillon;84035;Cavaillon;s
"""


def test_a_file_with_everything_wrong_keeps_what_is_good() -> None:
    found = take(FLOWS)
    assert found.table == "flows"
    assert found.label.year == "2022"
    assert found.frame is not None
    assert found.frame.to_dict("list") == {
        "home_code": ["84003", "84003", "84003"], "work_code": ["", "84003", "84035"], "workers": [3.0, 1244.5, 80.0],
    }  # fmt: skip
    assert found.label.placed == pytest.approx(1324.5)
    assert found.label.placed + found.label.unplaced == pytest.approx(1234.5 + 80 + 3 + 2 + 4 + 10)
    told = [(p.line, p.value) for p in found.problems]
    assert told == [(6, "00000"), (8, "beaucoup"), (9, "-7"), (10, "84035;Cavaillon;84003")]
    assert any("étranger" in note for note in found.label.notes_fr)
    assert any("abroad" in note for note in found.label.notes_en)


def test_a_home_abroad_has_its_line() -> None:
    found = take("residence;travail;actifs\n84003;84035;5\nCH001;84003;7\n84003;84003;\n")
    assert [(p.line, p.value, p.reason_en) for p in found.problems] == [(3, "CH001", "home abroad: left out")]
    assert found.label.unplaced == 7.0
    assert "lines without a figure (empty or secret): 1" in found.label.notes_en


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["84003", "84035", "13201", "01003", "97105", "BE001", "xx", "1001"]),
            st.sampled_from(["84003", "84035", "13055", "97105", "CH001", "00000"]),
            st.integers(0, 5000),
        ),
        min_size=1, max_size=40,
    )
)  # fmt: skip
def test_total_read_is_placed_plus_left_out(rows: list[tuple[str, str, int]]) -> None:
    text = "home_code,work_code,workers\n" + "".join(f"{h},{w},{n}\n" for h, w, n in rows)
    found = take(text)
    assert found.label.placed + found.label.unplaced == pytest.approx(sum(n for _, _, n in rows))


def test_wrong_values_of_one_sort_are_counted_together() -> None:
    lines = "".join(f"0000{k % 3};84003;5\n" for k in range(9))
    problems = take("home_code;work_code;workers\n84003;84003;1\n" + lines).problems
    assert [(p.line, p.value, p.count) for p in problems] == [(3, "00000", 3), (4, "00001", 3), (5, "00002", 3)]


def test_margins_from_plain_words_and_missing_figures() -> None:
    found = take(
        "Code INSEE;Actifs occupés;Emplois\n84003;4 100;5 200\n84035;s;12000,5\n13201;1;1\n13055;340000;371000\n"
    )
    assert found.table == "margins"
    assert found.frame is not None
    assert found.frame["zone_code"].tolist() == ["13055", "84003", "84035"]
    assert found.frame["jobs"].tolist() == [371000.0, 5200.0, 12000.5]
    assert pd.isna(found.frame["workers"].iloc[2])
    assert any("arrondissement" in note for note in found.label.notes_fr)


def test_the_newest_year_of_a_file_with_two_is_taken() -> None:
    found = take("CODGEO;P13_EMPLT;P18_EMPLT;P18_ACT1564;P18_CHOM1564\n84003;1;2;10;3\n")
    assert found.frame is not None
    assert found.frame.iloc[0][["workers", "jobs"]].tolist() == [7.0, 2.0]
    assert found.label.year == "2018"


def test_density_levels_by_name_by_number_and_the_old_grid() -> None:
    named = take("insee_com,niveau_densite\n84003, Petites villes\n84035,7\n84007,douze\n")
    assert named.frame is not None
    assert named.frame["level"].tolist() == [3, 7]
    assert [(p.line, p.value) for p in named.problems] == [(4, "douze")]
    codes = sorted(CODES.current)[:200]
    old = take("CODGEO;DENS\n" + "".join(f"{c};{1 + k % 4}\n" for k, c in enumerate(codes)))
    assert not old.usable
    assert "7" in old.problems[0].reason_fr


def test_travel_lists_in_minutes_and_in_seconds() -> None:
    minutes = take("origine;destination;minutes;km\n84003;84035;31,5;33\n84003;99999;3;1\n")
    seconds = take("from,to,seconds,distance_m\n84003,84035,1890,33000\n")
    for found in (minutes, seconds):
        assert found.frame is not None
        row = found.frame.iloc[0]
        assert (row["drive_min"], row["road_km"]) == (31.5, 33.0)
    assert minutes.problems[0].line == 3


def test_who_works_too_far_to_drive_each_day_is_told() -> None:
    found = take("CODGEO;DCLT;NBFLUX\n84003;84035;90\n84003;75056;10\n84003;AL001;5\n")
    assert any("10 actifs (" in note and "plus de 100 km" in note for note in found.label.notes_fr)
    near = take("CODGEO;DCLT;NBFLUX\n84003;84035;90\n")
    assert not any("plus de 100 km" in note for note in near.label.notes_fr)


def test_a_trip_of_no_time_within_a_commune_is_left_to_the_estimate() -> None:
    """A list often has each commune at 0 from itself; two communes that are one today have a time that is no longer one."""
    rows = "84003;84003;0\n84003;84035;31,5\n84035;84035;4,5\n38014;38297;7\n"
    found = take(f"origine;destination;minutes\n{rows}")
    assert found.frame is not None
    kept = {(a, b): m for a, b, m in found.frame[["from_code", "to_code", "drive_min"]].itertuples(index=False)}
    assert kept == {("84003", "84035"): 31.5, ("84035", "84035"): 4.5}
    assert any(": 2" in note and "estimation" in note for note in found.label.notes_fr)


def test_every_file_of_the_catalogue_is_known_by_its_columns() -> None:
    for entry in load_catalogue().values():
        header = ";".join(name.replace("*", "22") for name in entry.columns)
        assert guess(read_raw(f"{header}\n1;2;3\n".encode(), "t.csv")).table == entry.feeds, entry.key


# ---- any dress ----

TABLE = pd.DataFrame(
    {"zone_code": ["01001", "84003", "2A004"], "jobs": ["10", "5200", "1"], "workers": ["9", "4100", "2"]}
)


def dressed(how: str) -> tuple[bytes, str]:
    text = TABLE.to_csv(index=False, sep=";")
    if how == "xlsx":
        out = io.BytesIO()
        TABLE.to_excel(out, index=False, startrow=4)
        return out.getvalue(), "t.xlsx"
    if how == "parquet":
        out = io.BytesIO()
        TABLE.to_parquet(out)
        return out.getvalue(), "t.parquet"
    if how == "zip":
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("meta_t.csv", "a;b\n" * 500)
            archive.writestr("data/t.csv", text)
        return out.getvalue(), "t.zip"
    if how == "gz":
        return gzip.compress(text.encode()), "t.csv.gz"
    if how == "comma":
        return TABLE.to_csv(index=False).encode(), "t.csv"
    if how == "tab":
        return TABLE.to_csv(index=False, sep="\t").encode(), "t.txt"
    if how == "titled":
        return ("Insee - Statistiques locales; ; \n\n" + text).encode("utf-8"), "t.csv"
    if how == "crlf":
        return text.replace("\n", "\r\n").encode(), "t.csv"
    return text.encode(how), "t.csv"


@pytest.mark.parametrize(
    "how", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "xlsx", "parquet", "zip", "gz", "comma", "tab", "titled", "crlf"]
)
def test_one_table_in_every_dress(how: str) -> None:
    content, name = dressed(how)
    found = take(content, name)
    assert found.frame is not None
    assert found.frame["zone_code"].tolist() == ["01001", "2A004", "84003"]
    assert found.frame["jobs"].tolist() == [10.0, 1.0, 5200.0]
    assert found.problems == ()


def test_of_several_members_and_sheets_the_one_that_can_be_used_is_read_and_said() -> None:
    """A readme, what a computer adds by itself and a long list of variables are larger than the table."""
    text, long_list = TABLE.to_csv(index=False, sep=";"), "VAR;LIBELLE\n" + "P22_POP;Population\n" * 500
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, inside in (("variables.csv", long_list), ("__MACOSX/._t.csv", text * 99), ("data/t.csv", text)):
            archive.writestr(name, inside)
    found = take(out.getvalue(), "t.zip")
    assert (found.table, len(found.frame)) == ("margins", 3)  # type: ignore[arg-type]
    assert found.label.notes_en == ("read: “data/t.csv”; the rest of the file is not: variables.csv",)
    out = io.BytesIO()
    with pd.ExcelWriter(out) as book:
        pd.read_csv(io.StringIO(long_list), sep=";").to_excel(book, sheet_name="Variables", index=False)
        TABLE.to_excel(book, sheet_name="COM", index=False, startrow=4)
    found = take(out.getvalue(), "t.xlsx")
    assert (found.table, len(found.frame)) == ("margins", 3)  # type: ignore[arg-type]
    assert found.label.notes_fr == ("lu : « COM » ; le reste du fichier ne l'est pas : Variables",)
    asked = read_table(out.getvalue(), "t.xlsx", mapping={"name": "LIBELLE"})
    assert (asked.sheet, asked.left) == ("Variables", ("COM",))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(st.characters(blacklist_characters='\x00";,\t\r\n', blacklist_categories=("Cs",)), max_size=12), min_size=1, max_size=8),
       st.sampled_from([";", ",", "\t"]))  # fmt: skip
def test_text_survives_reading(names: list[str], separator: str) -> None:
    lines = [f"84003{separator}{name}{separator}{k}" for k, name in enumerate(names)]
    raw = read_raw(f"zone_code{separator}name{separator}jobs\n".encode() + "\n".join(lines).encode(), "t.csv")
    if not any(c in "".join(names) for c in "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"):
        assert raw.frame["jobs"].tolist() == [str(k) for k in range(len(names))]
        assert raw.frame["name"].tolist() == names
        assert raw.frame.index.tolist() == list(range(2, len(names) + 2))


def test_the_preview_shows_lines_of_the_file() -> None:
    raw = read_raw(FLOWS.encode(), "flows.csv")
    assert preview(raw, 2).index.tolist() == ["2", "3"]
    assert guess(raw).table == "flows"


# ---- hostile files ----


def bomb() -> bytes:
    out = io.BytesIO()
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("t.csv", "w", force_zip64=True) as file,
    ):
        for _ in range(950):
            file.write(b"0" * 2**20)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "empty.csv"), (b"   \n", "blank.csv"), (b"one\ntwo\n", "one-column.csv"), (b"%PDF-1.7\n1 0 obj", "paper.csv"),
        (b"\x00\x01\x02" * 90, "binary.csv"), (b"<!doctype html><html><p>x</p></html>", "portal.csv"),
        (b"PK\x03\x04 not a zip", "broken.zip"), (b"\x1f\x8b broken", "broken.csv.gz"), (b"a;b\n1;2\n", "other.csv"),
        (b"home_code;work_code\n84003;84003\n", "no-amount.csv"),
    ],
)  # fmt: skip
def test_hostile_files_get_a_sentence_in_two_languages(content: bytes, name: str) -> None:
    with pytest.raises(ReadingError) as caught:
        take(content, name)
    assert caught.value.message_fr
    assert caught.value.message_en != caught.value.message_fr


def test_a_zip_bomb_is_refused_before_it_is_opened() -> None:
    with pytest.raises(ReadingError, match="too large"):
        take(bomb(), "bomb.zip")


def test_a_header_alone_gives_no_row_and_no_error() -> None:
    assert not take("home_code;work_code;workers\n").usable


def test_formulas_of_a_workbook_are_read_as_values_only() -> None:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["zone_code", "jobs"], ["84003", "=1+1"], ["84035", 12]):
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    found = take(out.getvalue(), "t.xlsx")
    assert found.frame is not None
    assert found.frame.set_index("zone_code")["jobs"].dropna().to_dict() == {"84035": 12.0}


# ---- what was read wrong without a word ----

HEAD = "home_code;work_code;workers\n"


def test_a_quote_left_open_loses_no_line() -> None:
    found = take(HEAD + '84003;84003;1\n84003;"84035;7\n' + "84003;84007;1\n" * 500)
    assert found.label.placed == 508
    assert [(p.line, p.count) for p in found.problems] == [(3, 1)]


def test_a_cell_of_two_lines_keeps_the_numbers_of_lines() -> None:
    found = take('home_code;name;work_code;workers\n84003;"Apt\nville";84003;1\n84003;Apt;84007;x\n')
    assert found.label.placed == 1
    assert [(p.line, p.value) for p in found.problems] == [(4, "x")]


@pytest.mark.parametrize("word", ["TOTAL", "Cavaillon", "ESSAI", "NC"])
def test_a_word_is_not_a_workplace_abroad(word: str) -> None:
    found = take(HEAD + f"84003;84003;10\n84003;{word};15\n")
    assert found.frame is not None
    assert found.frame["work_code"].tolist() == ["84003"]
    assert found.problems[0].line == 3


def test_no_figure_is_infinite_and_thousands_are_asked_about() -> None:
    assert [p.value for p in take(HEAD + "84003;84003;inf\n84003;84035;1e400\n84035;84035;5\n").problems] == [
        "inf", "1e400",
    ]  # fmt: skip
    told = take('home_code,work_code,workers\n84003,84003,"1,234"\n84003,84035,"12,500"\n').problems
    assert [(p.line, p.count) for p in told] == [(2, 2)]
    assert "thousands" in told[0].reason_en


def test_years_of_a_file_are_not_mixed() -> None:
    found = take("CODGEO;P20_ACT1564;P18_CHOM1564;P18_ACT1564;P20_EMPLT\n84003;100;10;90;50\n")
    assert found.frame is not None
    assert found.frame.columns.tolist() == ["zone_code", "jobs"]
    assert found.label.year == "2020"


def test_a_part_of_a_sum_is_not_the_sum_and_repeats_are_told() -> None:
    merged = take("CODGEO;P20_EMPLT\n01033;100\n01091;s\n")
    assert merged.frame is not None
    assert merged.frame["jobs"].isna().all()
    twice = take("CODGEO;P20_EMPLT\n84003;100\n84003;100\n")
    assert [(p.line, p.value) for p in twice.problems] == [(3, "84003")]


def test_the_old_grid_of_a_rural_place_is_refused_and_names_need_no_accent() -> None:
    codes = sorted(CODES.current)[:200]
    assert not take("CODGEO;DENS\n" + "".join(f"{c};{3 + k % 2}\n" for k, c in enumerate(codes))).usable
    found = take("CODGEO;DENS\n84003;Rural a habitat tres disperse\n84035;2.5\n")
    assert found.frame is not None
    assert found.frame["level"].tolist() == [7]


def test_times_in_seconds_are_not_taken_for_minutes() -> None:
    assert not take("origine;destination;temps\n84003;84035;1890\n84035;84003;1900\n").usable


def test_a_small_square_table_and_its_wrong_cells() -> None:
    codes = ["84003", "84035", "84007"]
    rows = [f"{c};" + ";".join("0" if c == d else "1200" for d in codes) + ";9" for c in codes]
    text = "id;84003;84035;84007;99998\n" + "\n".join(rows).replace("84035;1200", "84035;abc") + "\n"
    found = take(text)
    assert found.frame is not None
    assert len(found.frame) == 5
    assert [(p.line, p.value) for p in found.problems] == [(1, "99998"), (3, "abc")]


@pytest.mark.parametrize("code", ["84003.0", '="84003"'])
def test_codes_spoilt_by_a_spreadsheet(code: str) -> None:
    assert take(f"zone_code;jobs\n{code};5\n").label.placed == 5


def test_separators_at_the_end_of_lines_and_blank_lines() -> None:
    found = take(HEAD + "\n84003;84003;5;\n\n84003;84035;6;\n")
    assert (found.label.placed, found.problems) == (11, ())


def test_thousands_of_ragged_lines_are_told_in_a_few() -> None:
    raw = read_raw((HEAD + "84003;84003;1\n" + "84003;84003\n" * 5000).encode(), "t.csv")
    assert len(raw.problems) == 7
    assert sum(p.count for p in raw.problems) == 5000


def test_what_the_user_says_of_a_file_is_checked_and_wins() -> None:
    content = HEAD + "84003;84003;1\n"
    for wrong in ({"mapping": {"workers": "zzz"}}, {"mapping": {"zzz": "workers"}}, {"table": "zzz"}):
        with pytest.raises(ReadingError, match="zzz"):
            take(content, **wrong)
    assert take("CODGEO;P20_EMPLT\n84003;1\n", label={"year": "2019"}).label.year == "2019"


@pytest.mark.parametrize(("content", "name"), [(b"\xef\xbb\xbf", "bom.csv"), (b"PAR1" + b"x" * 90, "t.parquet")])
def test_a_mark_alone_and_a_broken_parquet(content: bytes, name: str) -> None:
    with pytest.raises(ReadingError):
        take(content, name)


def test_one_broken_byte_does_not_change_the_accents() -> None:
    content = "zone_code;name;jobs\n84003;Été à Nîmes;1\n".encode() + b"84035;\xff;2\n"
    assert read_raw(content, "t.csv").frame["name"].iloc[0] == "Été à Nîmes"


# ---- the permanent facilities base: its libraries ----

LIBRARIES = (
    facility("PHARMACIE F307", "84003", "D307"),
    facility("MEDIATHEQUE LA HALLE AUX GRAINS", "84003", NUMVOIE="33", TYPVOIE="PL", LIBVOIE="SAINT-PIERRE", CODPOS="84400", LIBCOM="Apt"),
    facility("CINEMA", "84003", "F303"),
    facility("BIBLIOTHEQUE", "84035", QUALITE_GEOLOC="33"),
    facility("", "84138", lon="", lat="", LIBCOM="Saint-Saturnin-lès-Apt", LAMBERT_X="700000.0", LAMBERT_Y="6600000.0"),
    facility("BIBLIOBUS DU LUBERON", "84003"),
    facility("BIBLIOTHEQUE DE QUARTIER", "13208", lon="5.38", lat="43.26"),
    facility("BIBLIOTHEQUE DE MAMOUDZOU", "97608", lon="", lat="", EPSG="4471"),
    facility("MEDIATHEQUE", "84003", QUALITE_XY="_U", QUALITE_GEOLOC="_U", lon="5.4", lat="43.88"),
    facility("MEDIATHEQUE", "84003", lon="5.41", lat="43.89"),
)  # fmt: skip


def bpe(how: str) -> tuple[bytes, str]:
    text = "\r\n".join([BPE_2025, *LIBRARIES]) + "\r\n"
    if how == "zip":
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("BPE25.csv", text)
            archive.writestr("BPE25_variables.csv", "COD_VAR;LIB_VAR\nAN;Année\n")
        return out.getvalue(), "BPE25.zip"
    if how == "parquet":
        out = io.BytesIO()
        table = pd.read_csv(io.StringIO(text), sep=";", dtype=str)
        numbers = ["LONGITUDE", "LATITUDE", "LAMBERT_X", "LAMBERT_Y"]
        table.assign(**{c: pd.to_numeric(table[c]) for c in numbers}).to_parquet(out)  # as INSEE types them
        return out.getvalue(), "BPE25.parquet"
    return (gzip.compress(text.encode()), "BPE25.csv.gz") if how == "gz" else (text.encode(), "BPE25.csv")


@pytest.mark.parametrize("how", ["csv", "zip", "gz", "parquet"])
def test_the_libraries_of_the_facilities_base_become_places(how: str) -> None:
    content, name = bpe(how)
    found = take(content, name)
    assert found.table == "places" and found.frame is not None and found.label.year == "2025"
    by_name = found.frame.set_index("name")
    assert set(by_name["kind"]) == {"library"} and found.frame["place_id"].str.fullmatch("bpe-[0-9a-f]{12}").all()
    assert len(found.frame) == 7  # the cinema, the pharmacy and overseas are not there; two of one name are two
    halle = by_name.loc["MEDIATHEQUE LA HALLE AUX GRAINS"]
    assert (halle["address"], halle["zone_code"], halle["lon"]) == ("33 PL SAINT-PIERRE", "84003", 5.3966)
    assert by_name.loc["BIBLIOTHEQUE DE QUARTIER", "zone_code"] == "13055"  # the base has the districts of Marseille
    metres = by_name.loc["Bibliothèque (Saint-Saturnin-lès-Apt)"]
    assert (metres["lon"], metres["lat"]) == (3.0, 46.5)  # the origin of Lambert 93, by its definition
    assert pd.isna(by_name.loc["BIBLIOTHEQUE", "lon"])  # drawn at random in its commune, says INSEE
    assert by_name["itinerant"].to_dict() == {n: n.startswith("BIBLIOBUS") for n in by_name.index}
    assert found.problems == ()
    for note in ("8 libraries (F307) read among 10 facilities", "1 points that INSEE calls uncertain", "1 libraries without a name",
                 "1 places out of metropolitan France", "1 services that move"):  # fmt: skip
        assert any(note in told for told in found.label.notes_en), (note, found.label.notes_en)


def test_a_line_of_the_facilities_base_that_is_cut_is_told_by_its_line() -> None:
    text = "\n".join([BPE_2025, LIBRARIES[0], LIBRARIES[1], '"2025";"x";"BIBLIOTHEQUE";"F307"', LIBRARIES[3]])
    found = take(text, "BPE25.csv")
    assert [(p.line, p.reason_en) for p in found.problems] == [(4, "4 values instead of 31")]
    assert found.frame is not None and len(found.frame) == 2


@pytest.mark.parametrize(
    "text",
    [
        '"GEO";"GEO_OBJECT";"FACILITY_TYPE";"BPE_MEASURE";"TIME_PERIOD";"OBS_VALUE"\n84003;COM;F307;FACILITIES;2024;3\n',
        "DEPCOM;TYPEQU;NB_EQUIP\n84003;F307;1\n",
        "AN;DEPCOM;TYPEQU;LAMBERT_X;LAMBERT_Y;QUALITE_XY\n2018;84003;F307;896843;6317254;Bonne\n",
    ],
)
def test_a_facilities_base_that_names_no_building_is_told_with_where_to_look(text: str) -> None:
    with pytest.raises(ReadingError) as caught:
        take(text, "bpe.csv")
    assert (
        "names no building" in caught.value.message_en and "insee.fr/fr/statistiques/8217525" in caught.value.message_fr
    )
