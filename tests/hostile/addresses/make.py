"""Make corpus.csv: forms × variations of real addresses and of what stands in their place, from one seed.

`python tests/hostile/addresses/make.py` writes the file again, byte for byte. The words here were chosen without
looking at the product's own lists; hand.csv and holdout.csv beside it were written by hand before any tuning.
"""

# ruff: noqa: E501 - tables of addresses read best unbroken
from __future__ import annotations

import csv
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

HEADER = ("label", "group", "address_line1", "address_line2", "city", "state", "postal_code", "country")
Row = tuple[str, ...]

PLACES = [
    ("Chicago", "IL", "60601"), ("Houston", "TX", "77002"), ("Phoenix", "AZ", "85003"), ("Philadelphia", "PA",
    "19103"),
    ("San Antonio", "TX", "78205"), ("San Diego", "CA", "92101"), ("Dallas", "TX", "75201"), ("Austin", "TX",
    "78701"),
    ("Jacksonville", "FL", "32202"), ("Columbus", "OH", "43215"), ("Charlotte", "NC", "28202"), ("Denver", "CO",
    "80202"),
    ("Seattle", "WA", "98101"), ("Boston", "MA", "02108"), ("El Paso", "TX", "79901"), ("Detroit", "MI", "48226"),
    ("Memphis", "TN", "38103"), ("Portland", "OR", "97204"), ("Las Vegas", "NV", "89101"), ("Baltimore", "MD",
    "21201"),
    ("Fresno", "CA", "93721"), ("Tucson", "AZ", "85701"), ("Mesa", "AZ", "85201"), ("Sacramento", "CA", "95814"),
    ("Kansas City", "MO", "64106"), ("Atlanta", "GA", "30303"), ("Omaha", "NE", "68102"), ("Miami", "FL", "33130"),
    ("Tulsa", "OK", "74103"), ("Wichita", "KS", "67202"), ("New Orleans", "LA", "70112"), ("Newark", "NJ", "07102"),
    ("Saint Louis", "MO", "63101"), ("Fort Worth", "TX", "76102"), ("Salt Lake City", "UT", "84101"),
    ("Burlington", "VT", "05401"), ("Anchorage", "AK", "99501"), ("Honolulu", "HI", "96813"), ("Fargo", "ND",
    "58102"),
    ("Bangor", "ME", "04401"),
]  # fmt: skip
NAMES = [
    "Main", "Oak", "Maple", "Cedar Hill", "Washington", "Lake", "Martin Luther King Jr", "Saint Marks",
    "Rosa Parks",
    "Old Mill", "Kosciuszko", "Wolf Creek", "Peach Tree", "Van Ness", "De La Guerra", "O'Keefe", "Smith-Wesson",
    "5th",
    "Twenty-Second", "42nd", "Elm Grove", "Church", "Court", "Park", "Summit View", "Grant", "Las Palmas", "Hwang",
    "Nguyen", "Przybylski", "Schuylkill", "Xavier", "Quincy", "Yellowknife", "Jefferson Davis", "North Star",
    "Hope",
    "Liberty", "Property Line", "Strength", "Fjord", "Wright", "Rhythm", "Lynch", "Skylark",
]  # fmt: skip
TYPES = [
    ("Street", "St"), ("Avenue", "Ave"), ("Road", "Rd."), ("Boulevard", "Blvd"), ("Drive", "DR"), ("Lane", "ln"),
    ("Court", "Ct"), ("Place", "Pl."), ("Terrace", "Ter"), ("Parkway", "Pkwy"), ("Circle", "Cir"), ("Way", "Way"),
    ("Trail", "Trl"), ("Square", "Sq"), ("Crossing", "Xing"),
]  # fmt: skip
UNITS = ["Apt 4", "Apt. 12B", "#7", "# 303", "Unit 5-A", "Suite 900", "Ste B", "Floor 2", "3rd Floor", "Lot 18", "Bldg 3 Apt 9",
         "Rm 14", "Trlr 6", "Basement", "Rear", "Apartment 1001", "PH 4", "Spc 22", "PMB 81"]  # fmt: skip
SPECIAL = {
    "po_box": ["PO Box {n}", "P.O. Box {n}", "P O BOX {n}", "Post Office Box {n}", "POB {n}", "p.o.box {n}",
    "PO Box #{n}",
               "PO BOX {n}-A", "Box {n}", "Apartado {n}"],
    "rural": ["RR {d} Box {n}", "R.R. {d} Box {n}", "Rural Route {d} Box {n}", "RR {d}, Box {n}A",
    "HC {d} Box {n}", "HCR {d} Box {n}",
              "RFD {d} Box {n}", "Rural Rte {d}, Box {n}", "Star Route {d} Box {n}"],
    "highway": ["{n} Highway {d}", "{n} State Route {d}", "{n} County Road {d}", "{n} CR {d}",
    "{n} US Hwy {d} N", "{n} Interstate {d}",
                "{n} FM {d}", "{n} Old Route {d}", "{n} Hwy {d} S Lot 4", "{n} County Rd {d} Apt 2",
                "{n} N State Road {d}"],
    "grid": ["N{d}W{n} Meadow Lane", "W{d}S{n} Ridge Rd", "{n} N {d}00 E", "{n} South {d}00 West",
    "{n} E {d}00 S Apt 4"],
    "hyphen": ["{d}-{d} Queens Blvd", "{d}-{d} 37th Avenue", "{d}-{d}A Hillside Ave Apt 2F"],
    "fraction": ["{n} 1/2 Elm Street", "{n}½ Elm St", "{n}-1/2 Elm St Apt 2"],
}  # fmt: skip
PUERTO_RICO = [
    ("{n} Calle Fortaleza", ""), ("Calle Fortaleza #{n}", ""), ("Urb Villa Prades", "{n} Calle Felipe Gutierrez"),
    ("{n} Calle {d}", "Urb Santa Juanita"), ("Carr {d} Km {d}.4", ""), ("Cond Los Pinos Apt {d}",
    "{n} Ave Isla Verde"),
    ("PO Box {n}", ""), ("HC {d} Box {n}", ""), ("{n} Avenida Fernández Juncos", ""), ("C{d} Calle {d}",
    "Urb Los Angeles"),
    ("RR {d} Buzón {n}", ""), ("Res Nemesio Canales Edif {d} Apt {n}", ""), ("{n} Calle San José Apt {d}", ""),
]  # fmt: skip
MILITARY = [("PSC {d} Box {n}", "APO", "AE", "09021"), ("CMR {d} Box {n}", "APO", "AE", "09180"),
            ("Unit {n} Box {d}", "APO", "AP", "96278"), ("UNIT {n}, BOX {d}", "FPO", "AP", "96349"),
            ("PSC {d} BOX {n}", "DPO", "AA", "34002")]  # fmt: skip
FOREIGN = [("Av. Juárez {n}", "Guadalajara", "Jalisco", "44100", "MX"), ("{n} Rue Saint-Denis", "Montréal", "QC", "H2X 3K8", "Canada"),
           ("Rua Augusta {n}", "São Paulo", "SP", "01304-000", "BR"), ("{n} High Street", "Leeds", "",
           "LS1 4DY", "GB"),
           ("Calle 8 No. {d}-{d}", "Cali", "", "", "CO"), ("Bahnhofstrasse {n}", "Hamburg", "", "20095", "DE"),
           ("{n} Nathan Road", "Kowloon", "", "", "HK"), ("Colonia Kennedy, Calle Principal {n}", "Tegucigalpa",
           "", "", "HN")]  # fmt: skip

PLACEHOLDERS = [
    "Failed to Provide", "Unknown Address", "NA NA", "Don't Care", "Unknown", "Address Unknown", "Not Provided",
    "None", "N/A",
    "No Address", "No Address Provided", "Address Not Given", "Did Not Provide Address", "Refused to Provide",
    "Refused",
    "Subject Refused", "Would Not Say", "Declined to Answer", "Homeless", "Homeless - No Address", "Transient",
    "No Fixed Address", "No Known Address", "No Permanent Residence", "Unknown Street", "Whereabouts Unknown",
    "TBD", "To Be Determined",
    "Pending", "Not Available", "Unavailable", "Not Applicable", "Not Known", "Null", "Nil", "Missing",
    "Information Missing", "Withheld",
    "Redacted", "Confidential", "Undisclosed", "Same As Above", "See File", "On File", "Not On File",
    "Does Not Know", "Doesn't Remember",
    "I Don't Know", "Who Knows", "Whatever", "Nowhere", "Nothing", "No Response", "No Answer",
    "Invalid Address", "Bad Address",
    "Fake Address", "Test Address", "Test", "Dummy", "Placeholder", "Lorem Ipsum", "Blah Blah", "UNK UNK",
    "XXXX", "None Given",
    "Desconocido", "Dirección Desconocida", "Domicilio Desconocido", "Se Desconoce", "No Sabe",
    "No Tiene Dirección", "Sin Dirección",
    "Sin Domicilio", "No Proporcionó", "No Proporcionado", "No Disponible", "No Aplica", "Ninguna", "Ninguno",
    "Sin Hogar", "Por Determinar",
    "No Quiso Decir", "Se Negó a Proporcionar", "Adresse Inconnue", "Inconnu", "Sans Adresse",
    "Sans Domicile Fixe", "Non Fourni",
    "Non Disponible", "Aucune", "Ne Sait Pas", "Pas d'adresse", "Desconhecido", "Endereço Desconhecido",
    "Sem Endereço", "Não Informado",
    "Não Sabe", "Não Tem", "Nenhum", "Sem Teto", "Pa Konnen", "Mwen Pa Konnen", "Li Pa Konnen", "Pa Gen Adrès",
    "Enkoni", "Okenn Adrès",
    "Không Biết", "Không Có", "Không Có Địa Chỉ", "Không Rõ", "Chưa Biết", "Vô Gia Cư", "Bu Zhi Dao", "Wei Zhi",
    "Wu Dizhi", "Mei You Dizhi",
    "Unbekannt", "Sconosciuto", "Neizvestno", "Hindi Alam", "Walang Tirahan",
]  # fmt: skip
INSTITUTIONS = [
    "{p} County Jail", "{p} City Jail", "{p} Detention Center", "{p} ICE Processing Center",
    "{p} Service Processing Center",
    "{p} Correctional Facility", "{p} Correctional Institution", "{p} State Prison", "{p} State Penitentiary",
    "{p} Regional Jail",
    "{p} Immigration Court", "{p} County Courthouse", "{p} Superior Court", "U.S. District Court",
    "Federal Detention Center {p}",
    "Federal Correctional Institution {p}", "FCI {p}", "{p} Police Department", "{p} County Sheriff's Office",
    "ICE {p} Field Office",
    "USCIS {p} Field Office", "DHS/ICE/ERO", "Department of Homeland Security", "U.S. Border Patrol Station {p}",
    "Immigration and Customs Enforcement", "{p} Juvenile Hall", "{p} Residential Center", "Bureau of Prisons",
    "Centro de Detención {p}",
    "Cárcel de {p}", "{p} Detention Facility", "{p} Processing Center", "Prison", "Department of Corrections",
    "Consulate of Mexico",
]  # fmt: skip
MASH = ["asdf", "asdfgh", "qwerty", "qwer", "zxcvbn", "hjkl", "dfgh", "lkjhg", "sdfsdf", "xcvb", "aaaa", "zzzzz", "bbb", "jjjjjj",
        "fghjk", "mnbvc", "qqqq", "sdkjfh", "wrtplk", "ghjghj", "asd", "zxc", "qwe", "xyzzzz", "hhhh", "fdsa",
        "ytrewq"]  # fmt: skip

_CYRILLIC = str.maketrans("aceopxyiABCEHKMOPTX", "асеорхуіАВСЕНКМОРТХ")
_GREEK = str.maketrans("ovABEHIKMNOPTXYZ", "ονΑΒΕΗΙΚΜΝΟΡΤΧΥΖ")
_LEET = str.maketrans("oieasOIEAS", "0134501345")
_WIDE = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})
_HIDDEN = ["\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u034f", "\u200e"]


def _hidden(text: str, draw: random.Random) -> str:
    return "".join(letter + (draw.choice(_HIDDEN) if draw.random() < 0.3 else "") for letter in text)


def _accented(text: str, draw: random.Random) -> str:
    return "".join(letter + ("\u0301" if letter in "aeiouAEIOU" and draw.random() < 0.5 else "") for letter in text)


DISGUISES: dict[str, Callable[[str, random.Random], str]] = {
    "plain": lambda text, _: text,
    "upper": lambda text, _: text.upper(),
    "lower": lambda text, _: text.lower(),
    "mixed": lambda text, draw: "".join(draw.choice((c.upper(), c.lower())) for c in text),
    "cyrillic": lambda text, _: text.translate(_CYRILLIC),
    "greek": lambda text, _: text.translate(_GREEK),
    "wide": lambda text, _: text.translate(_WIDE),
    "leet": lambda text, _: text.translate(_LEET),
    "hidden": _hidden,
    "accented": _accented,
    "dotted": lambda text, _: text + ".",
    "bracketed": lambda text, _: f"({text})",
    "quoted": lambda text, _: f'"{text}"',
    "starred": lambda text, _: f"*** {text} ***",
    "dashes": lambda text, _: text.replace(" ", "-"),
    "underscored": lambda text, _: text.replace(" ", "_"),
    "wide_gaps": lambda text, _: text.replace(" ", "   "),
    "doubled": lambda text, _: f"{text} {text}",
}
# Ways of writing that change nothing about a real address.
HARMLESS = ("plain", "upper", "lower", "hidden", "wide_gaps", "dotted", "wide")


def _filled(template: str, draw: random.Random) -> str:
    while "{n}" in template or "{d}" in template:
        template = template.replace("{n}", str(draw.randint(11, 9899)), 1).replace("{d}", str(draw.randint(2, 98)), 1)
    return template


def _street(draw: random.Random) -> str:
    number = draw.choice(
        [str(draw.randint(1, 19999)), f"{draw.randint(1, 99)}{draw.choice('ABC')}", str(draw.randint(100, 999))]
    )
    before = draw.choice(["", "", "", "N ", "South ", "E. ", "NW "])
    after = draw.choice(["", "", "", "", " N", " Southwest"]) if not before else ""
    return f"{number} {before}{draw.choice(NAMES)} {draw.choice(draw.choice(TYPES))}{after}"


def _at(place: tuple[str, str, str], draw: random.Random) -> Row:
    city, state, postal_code = place
    return city, state, draw.choice([postal_code, postal_code, f"{postal_code}-{draw.randint(1000, 9999)}", ""]), ""


def complete(draw: random.Random) -> Iterator[Row]:
    """Real forms: streets, boxes, routes, grids, Puerto Rico, military, abroad; one-line and swapped."""
    for _ in range(1500):
        street, place, unit = _street(draw), draw.choice(PLACES), draw.choice(["", *UNITS])
        write = DISGUISES[draw.choice(HARMLESS)]
        city, state, postal_code = place
        full = f"{street} {unit}".strip()
        layouts: list[tuple[str, Row]] = [
            ("street", (write(full, draw), "", *_at(place, draw))),
            ("street", (write(street, draw), unit, *_at(place, draw))),
            ("street", (write(street, draw) + (f", {unit}" if unit else ""), "", *_at(place, draw))),
            ("swapped", (unit or "c/o Maria Lopez", write(street, draw), *_at(place, draw))),
            ("oneline", (f"{full}, {city}, {state} {postal_code}", "", "", "", "", "")),
            ("oneline", (f"{street}, {city}, {state}", "", "", "", "", "")),
            ("oneline", (write(full, draw), f"{city}, {state} {postal_code}", "", "", "", "")),
        ]
        group, row = draw.choice(layouts)
        yield "complete", group, *row
    for group, templates in SPECIAL.items():
        for template in templates * 9:
            text = DISGUISES[draw.choice(HARMLESS)](_filled(template, draw), draw)
            yield "complete", group, text, "", *_at(draw.choice(PLACES), draw)
    for first, second in PUERTO_RICO * 6:
        yield "complete", "puerto_rico", _filled(first, draw), _filled(second, draw), "San Juan", "PR", "00901", ""
    for template, city, state, postal_code in MILITARY * 8:
        yield "complete", "military", _filled(template, draw), "", city, state, postal_code, ""
    for template, city, state, postal_code, country in FOREIGN * 6:
        yield "complete", "foreign", _filled(template, draw), "", city, state, postal_code, country


def placeholders(draw: random.Random) -> Iterator[Row]:
    """Every placeholder in several disguises, alone, with digits, or with a true place."""
    for phrase in PLACEHOLDERS:
        for name in ["plain", "upper", "lower", "leet", *draw.sample(sorted(DISGUISES), 9)]:
            text = DISGUISES[name](phrase, draw)
            city, state, postal_code = draw.choice(PLACES)
            line, *place = draw.choice(
                [
                    (text, city, state, postal_code), (text, "", "", postal_code), (text, "", "", ""),
                    (f"{text} {postal_code}", city, state, postal_code), (f"{text}, {city}, {state} {postal_code}", "", "", ""),
                    (f"{draw.randint(1, 999)} {text}", city, state, postal_code), (text, text, state, postal_code),
                ]
            )  # fmt: skip
            yield "not_an_address", f"placeholder_{name}", line, draw.choice(["", "", text]), *place, ""


def nonsense(draw: random.Random) -> Iterator[Row]:
    """Fingers on a keyboard, one word again and again, digits."""
    for word in MASH * 7:
        city, state, postal_code = draw.choice(PLACES)
        number, type_ = draw.randint(1, 999), draw.choice(["St", "Ave", "Road"])
        line = draw.choice(
            [word, f"{number} {word}", f"{number} {word} {type_}", f"{number} {word.upper()} {type_} Apt 2"]
        )
        yield "not_an_address", "mash", line, "", city, state, postal_code, ""
    for word in ["Main", "Oak", "street", "abc", "na", "address", "x", "Maria", "Test", "Springfield"] * 6:
        city, state, postal_code = draw.choice(PLACES)
        line = " ".join([word] * draw.randint(3, 5))
        yield (
            "not_an_address",
            "repeated",
            draw.choice([line, f"{draw.randint(1, 99)} {line}"]),
            "",
            city,
            state,
            postal_code,
            "",
        )
    for _ in range(120):
        city, state, postal_code = draw.choice(PLACES)
        digits = draw.choice([postal_code, "00000", "0", "000000000", str(draw.randint(1, 10**9)), f"{draw.randint(1, 99)} {postal_code}",
                              "00000-0000", "12345", "99999", "111 111 1111"])  # fmt: skip
        yield (
            "not_an_address",
            "digits",
            digits,
            "",
            *draw.choice([(city, state, postal_code), ("", "", digits), ("", "", "")]),
            "",
        )


def institutions(draw: random.Random) -> Iterator[Row]:
    """Institutions, alone, before, after or beneath a street."""
    for template in INSTITUTIONS * 12:
        city, state, postal_code = draw.choice(PLACES)
        name = template.format(p=draw.choice(["Karnes", "Otay Mesa", "Stewart", "Orange", "Bexar", "Winn", city]))
        text = DISGUISES[draw.choice(["plain", "upper", "lower", "cyrillic", "hidden", "wide", "accented"])](name, draw)
        street = f"{draw.randint(100, 9999)} {draw.choice(['Main St', 'Federal Way', 'Industrial Blvd', 'Airport Rd'])}"
        lines = draw.choice([(text, ""), (text, street), (street, text), (f"{text}, {street}", ""), (f"{street} ({text})", ""),
                             (f"c/o {text}", street)])  # fmt: skip
        yield "institution", "institution", *lines, city, state, postal_code, ""


def incomplete(draw: random.Random) -> Iterator[Row]:
    """Real parts with one missing or in contradiction."""
    for _ in range(750):
        (city, state, postal_code), other = draw.sample(PLACES, 2)
        street = _street(draw)
        bare = f"{draw.choice([name for name in NAMES if not name[0].isdigit()])} {draw.choice(draw.choice(TYPES))}"
        unit = draw.choice(UNITS)
        cases: list[tuple[str, Row]] = [
            ("no_number", (bare, "", city, state, postal_code)),
            ("no_number", (bare, unit, city, state, postal_code)),
            ("no_number", (f"{bare}, {city}, {state} {postal_code}", "", "", "", "")),
            ("no_number", (f"corner of {bare} and {draw.choice(NAMES)}", "", city, state, postal_code)),
            ("no_place", (street, "", "", "", "")),
            ("no_place", (street, "", city, "", "")),
            ("no_place", (street, "", "", state, "")),
            ("no_place", (street, "", "", "", postal_code)),
            ("no_street", (unit, "", city, state, postal_code)),
            ("no_street", (city, "", city, state, postal_code)),
            ("no_street", (f"{city}, {state} {postal_code}", "", "", "", "")),
            ("no_street", (draw.choice(["Maria Lopez", "John Q Public",
            "c/o Ana Ruiz"]), "", city, state, postal_code)),
            ("zip_contradicts", (street, "", city, state, other[2])),
            ("zip_contradicts", (f"{street}, {city}, {state} {other[2]}", "", "", "", "")),
            ("zip_wrong", (street, "", city, state, draw.choice(["00000", "99999", "1", "ABCDE", "7700",
            "770021", "N/A"]))),
            ("state_wrong", (street, "", city, draw.choice(["XX", "ZZ", "Unknown", "N/A", "99"]), postal_code)),
            ("city_wrong", (street, "", draw.choice(["Unknown", "Nowhere Springs", "N/A", "Xxxx", "12345",
            "Gotham"]), state, postal_code)),
            ("no_box", (draw.choice(["PO Box", "P.O. Box", "RR 2", "Rural Route 4", "HC 3",
            "Apartado"]), "", city, state, postal_code)),
            ("no_box", (f"PSC {draw.randint(1, 99)}", "", "APO", "AE", "09021")),
        ]  # fmt: skip
        group, row = draw.choice(cases)
        yield "incomplete", group, *row, ""


def rows(seed: int = 2025) -> list[Row]:
    """Every row of the corpus, without repeats, in a fixed order."""
    draw = random.Random(seed)  # noqa: S311 - test data, the same every time
    made = [row for part in (complete, placeholders, nonsense, institutions, incomplete) for row in part(draw)]
    return list(dict.fromkeys(made))


def main(path: Path) -> None:
    """Write the corpus."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(rows())


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("corpus.csv"))
