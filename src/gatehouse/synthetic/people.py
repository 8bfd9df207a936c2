"""Who lives together: households, kinship, names and birth dates, each a function of a person's place.

Twelve persons make a block of five households of one to seven; a person's key is household x 8 + role. Names follow
kinship: spouses share or keep surnames, children take one or two, a junior carries the father's name, twins share a
birth date, and in large buildings a few householders are namesakes of a neighbour.
"""

from __future__ import annotations

from dataclasses import dataclass

from gatehouse.synthetic.chance import Chance, Scatter
from gatehouse.synthetic.words import NAME_SLOTS

FIRST_PERSON_ID = 100_000_001
BLOCK = 12
HOUSEHOLDS = 5
_SIZES = (
    (1, 1, 2, 3, 5),
    (1, 2, 2, 3, 4),
    (1, 1, 2, 2, 6),
    (1, 1, 1, 4, 5),
    (2, 2, 2, 2, 4),
    (1, 2, 3, 3, 3),
    (1, 1, 1, 2, 7),
    (1, 2, 2, 2, 5),
)
_HOUSEHOLD = "".join(str(h) for sizes in _SIZES for h, size in enumerate(sizes) for _ in range(size))
_ROLE = "".join(str(role) for sizes in _SIZES for size in sizes for role in range(size))
_START = "".join(f"{sum(sizes[:h]):02d}" for sizes in _SIZES for h in range(HOUSEHOLDS))
BUILDING_GROUP = 40
# TINs 9xx-01-0001 to 9xx-49-9999: the SSA never issues areas 900 to 999, and ITINs and ATINs use groups from 50 on.
_GROUPS, _SERIALS = 49, 9999
MOST_PERSONS = 100 * _GROUPS * _SERIALS


@dataclass(frozen=True)
class People:
    """The population of one register: how many, and the chance that makes them."""

    persons: int
    chance: Chance

    @property
    def scatter(self) -> Scatter:
        """Which slot of the population each row of the register holds."""
        return Scatter.of(self.persons, self.chance, "rows")

    @property
    def dwellings(self) -> int:
        """How many dwellings there are: one for each household."""
        return -(-self.persons // BLOCK) * HOUSEHOLDS

    def person_id(self, slot: str) -> str:
        """SQL for the identifier of the person in a slot."""
        return f"({self.scatter.row(slot)} + {FIRST_PERSON_ID})"

    def tin(self, row: str) -> str:
        """SQL for the nine digits of a row; rows from `persons` on give TINs that nobody in the register has."""
        every = Scatter.of(MOST_PERSONS, self.chance, "tins").slot(row)
        return (
            f"(900 + ({every}) // {_GROUPS * _SERIALS})::VARCHAR"
            f" || lpad((1 + ({every}) // {_SERIALS} % {_GROUPS})::VARCHAR, 2, '0')"
            f" || lpad((1 + ({every}) % {_SERIALS})::VARCHAR, 4, '0')"
        )

    def apartment_group(self, dwelling: str) -> str:
        """SQL for 0 to 99: what is built on a group of forty dwellings (55 to 74 is one block of flats)."""
        return self.chance.pick("built", f"({dwelling}) // {BUILDING_GROUP}", 100)

    def _kin(self, role: str, key: str) -> str:
        spouse = self.chance.under("spouse", f"({key}) // 8", 0.85)
        other = self.chance.pick("kin", key, 100)
        return (
            f"CASE WHEN {role} = 0 THEN 'head' WHEN {role} = 1 AND {spouse} THEN 'spouse' "
            f"WHEN {other} < 80 THEN 'child' WHEN {other} < 88 THEN 'parent' ELSE 'lodger' END"
        )

    def households(self, rows: str) -> str:
        """SQL for one row a person: `i` (row), `p` (slot), `h`, `role`, `q` (key), `kin`, `twin`, `junior`, `male`…

        `rows` is a relation with a column `i`. `n` is the key that names a head (another's, for a namesake),
        `elder` the slot of a namesake's namesake or of a junior's father, `d` the dwelling, `birth_date` a DATE.
        """
        c = self.chance
        pattern = c.pick("pattern", "p // 12", len(_SIZES))
        earlier = c.pick("pattern", "p // 12 - 1", len(_SIZES))
        namesake = (
            f"role = 0 AND h % {BUILDING_GROUP} >= 5 AND {self.apartment_group('h')} BETWEEN 55 AND 74 "
            f"AND {c.under('namesake', 'h', 0.012)}"
        )
        return f"""
        WITH a AS (SELECT i, {self.scatter.slot("i")} AS p FROM {rows}),
        b AS (SELECT i, p, ({pattern} * 12 + p % 12)::BIGINT AS place, p // 12 AS block FROM a),
        c AS (SELECT i, p, block, block * {HOUSEHOLDS} + substr('{_HOUSEHOLD}', place + 1, 1)::BIGINT AS h,
              substr('{_ROLE}', place + 1, 1)::BIGINT AS role FROM b),
        d AS (SELECT i, p, block, h, role, h * 8 + role AS q, {namesake} AS namesake FROM c),
        e AS (SELECT *, {self._kin("role", "q")} AS kin, {self._kin("role - 1", "q - 1")} AS kin_before FROM d),
        f AS (SELECT *, CASE WHEN namesake THEN (h - {HOUSEHOLDS}) * 8 ELSE h * 8 END AS n,
              kin = 'child' AND role >= 3 AND kin_before = 'child' AND {c.under("twin", "q", 0.03)}
                AND NOT {c.under("twin", "q - 1", 0.03)} AS twin,
              {c.pick("male", "CASE WHEN namesake THEN (h - 5) * 8 ELSE h * 8 END", 2)} = 0 AS head_male FROM e),
        g AS (SELECT *, kin = 'child' AND role = 2 AND head_male AND {c.under("junior", "h", 0.09)} AS junior,
              head_male AND {c.under("junior", "h", 0.09)} AS senior_house FROM f)
        SELECT i, p, h, role, q, n, kin, twin, junior, namesake, senior_house AND kin = 'head' AS senior,
          CASE WHEN kin = 'head' THEN head_male WHEN kin = 'spouse' THEN NOT head_male
               ELSE junior OR {c.pick("male", "q", 2)} = 0 END AS male,
          CASE WHEN NOT namesake AND h % 5 > 0 AND {c.under("shared", "h", 0.06)} THEN h - 1 ELSE h END AS d,
          CASE WHEN namesake THEN (block - 1) * 12
                 + substr('{_START}', ({earlier} * {HOUSEHOLDS} + h % {HOUSEHOLDS}) * 2 + 1, 2)::BIGINT
               WHEN junior THEN p - role WHEN twin THEN p - 1 WHEN kin = 'spouse' THEN p - 1 END AS elder,
          {self._birth()} AS birth_date
        FROM g"""

    def _birth(self) -> str:
        c = self.chance
        head = f"(DATE '1938-01-01' + {c.pick('birth', 'h * 8', 24_000)}::INTEGER)"
        key = "(CASE WHEN twin THEN q - 1 ELSE q END)"
        spouse = f"({head} + ({c.pick('birth', 'q', 4_400)} - 2200)::INTEGER)"
        child = f"({head} + (6600 + {c.pick('birth', key, 7_000)})::INTEGER)"
        latest = f"(DATE '2019-12-31' - {c.pick('young', key, 3_000)}::INTEGER)"
        parent = f"greatest({head} - (7300 + {c.pick('birth', 'q', 6_500)})::INTEGER, DATE '1921-03-01')"
        lodger = f"(DATE '1950-01-01' + {c.pick('birth', 'q', 20_000)}::INTEGER)"
        return (
            f"(CASE kin WHEN 'head' THEN {head} WHEN 'spouse' THEN {spouse} WHEN 'child' THEN least({child}, {latest}) "
            f"WHEN 'parent' THEN {parent} ELSE {lodger} END)::DATE"
        )

    def _first_slot(self) -> str:
        """Members of a household draw far apart from one another, so that few share a first name by accident."""
        household, jitter = (
            self.chance.pick("first", "first_key // 8", NAME_SLOTS),
            self.chance.pick("jitter", "first_key", 200),
        )
        return f"({household} + (first_key % 8) * 1170 + {jitter}) % {NAME_SLOTS}"

    def names(self, households: str) -> str:
        """SQL that adds `last_name`, `first_name`, `middle_name`, `suffix`, `maiden`, `short_last` to households.

        One person in eight is kept with diacritics as written, the others in plain capitals.
        """
        c = self.chance
        own = "CASE g.g WHEN 1 THEN 75 WHEN 0 THEN 22 ELSE 40 END"
        return f"""
        WITH k AS (SELECT *, CASE WHEN kin = 'lodger' THEN -q ELSE n END AS house FROM ({households})),
        l AS (SELECT k.*, g.g, g.joint,
                {c.pick("double", "house", 100)} < g.double_share
                  OR (kin = 'spouse' AND g.g = 0 AND NOT male AND {c.pick("hyphen", "q", 100)} < 5) AS doubled,
                kin = 'spouse' AND {c.pick("own", "q", 100)} < {own} AS keeps
              FROM k LEFT JOIN syn_group g ON g.slot = {c.pick("group", "house", 1000)}),
        m AS (SELECT *,
                CASE WHEN kin = 'lodger' OR keeps THEN q ELSE n END AS last_key,
                CASE WHEN kin = 'child' THEN h * 8 + 1 WHEN kin = 'head' THEN n + 1000000000000
                     ELSE q + 1000000000000 END AS second_key,
                CASE WHEN kin = 'head' OR junior THEN n ELSE q END AS first_key,
                {c.under("written", "q", 0.12)} AS written FROM l),
        o AS (SELECT m.*, CASE WHEN written THEN s.name ELSE s.plain END AS surname,
                CASE WHEN doubled THEN CASE WHEN written THEN t.name ELSE t.plain END END AS second,
                CASE WHEN written THEN w.name ELSE w.plain END AS own_surname,
                CASE WHEN written THEN f.name ELSE f.plain END AS first_name,
                CASE WHEN {c.pick("middle kind", "first_key", 100)} < 38
                       THEN CASE WHEN written THEN x.name ELSE x.plain END
                     WHEN {c.pick("middle kind", "first_key", 100)} < 70 THEN left(x.plain, 1) END AS middle_name
              FROM m
              LEFT JOIN syn_surname s ON s.slot = g * {NAME_SLOTS} + {c.pick("surname", "last_key", NAME_SLOTS)}
              LEFT JOIN syn_surname t ON t.slot = g * {NAME_SLOTS} + {c.pick("surname", "second_key", NAME_SLOTS)}
              LEFT JOIN syn_surname w ON w.slot = g * {NAME_SLOTS} + {c.pick("surname", "q", NAME_SLOTS)}
              LEFT JOIN syn_first f ON f.slot = (g * 2 + (NOT male)::INTEGER) * {NAME_SLOTS}
                + {self._first_slot()}
              LEFT JOIN syn_first x ON x.slot = (g * 2 + (NOT male)::INTEGER) * {NAME_SLOTS}
                + {c.pick("middle", "first_key", NAME_SLOTS)})
        SELECT *, CASE WHEN second IS NULL OR second = surname THEN surname ELSE surname || joint || second END
            AS last_name,
          CASE WHEN junior THEN 'JR' WHEN senior AND {c.pick("suffix", "h", 10)} < 5 THEN 'SR'
               WHEN kin = 'head' AND male AND {c.under("third", "n", 0.003)} THEN 'III' END AS suffix,
          CASE WHEN NOT male AND own_surname <> surname AND NOT keeps
                 AND ((kin = 'spouse' AND {c.pick("former", "q", 100)} < 40)
                   OR (kin = 'head' AND {c.pick("former", "q", 100)} < 14)) THEN own_surname END AS maiden,
          CASE WHEN second <> surname AND {c.pick("short", "q", 100)} < 18 THEN surname END AS short_last
        FROM o"""
