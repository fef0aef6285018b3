"""Changes of TOML: values of other kinds and sizes, names that are no settings, lines that are lost or come twice."""

from __future__ import annotations

import re
from random import Random

from tests.fuzz import plain

_VALUES = (
    *("0", "1", "-1", "true", "nan", "-inf", "inf", "1e308", "1e-320", "9" * 30, "-" + "9" * 400, "0x7fffffffffffffff", "1_000", "0o17"),
    *('""', '"x"', '"\\u0000"', '"\\U0010FFFF"', '"a\\nb"', '"\\u202e"', "'''\n'''", '"1:2:3:4"', '"' + "9" * 5000 + 'f"', '"1e999"'),
    *('"\u0663f"', '"\u0663"'),  # digits of another script
    *("[]", "[[]]", "{}", "[1, 'a']", "{ a = 1 }", "{ method = 1 }", "{ method = [] }", '{ method = "kalman" }', "[{}]", "[[[[[[1]]]]]]"),
    *("1979-05-27", "1979-05-27T07:32:00Z", "07:32:00", "00:00:00.999999", "0001-01-01T00:00:00", "9999-12-31T23:59:59.999999+23:59"),
    *('"30/0"', '"0/0"', '"1/3"', '"-25"', '"nan"', '"inf"', '"9999999999999999999999/7"', '"../../x"', '"/dev/null"', '"s3://"'),
    *("[" * 400 + "]" * 400, "{ a = " * 200 + "1" + " }" * 200),
)
_LINES = (
    *("[a]", "[[a]]", "[a.b.c]", "a.b.c = 1", "[find_faces]", "[[find_faces]]", "find_faces = 1", "[choose_people]", '"" = 1', "['']"),
    *("people = 1", "splits = []", "merge = [[]]", "video = 1", "[[people]]", "[[people.at]]", "x = 1", "= 1", "a = ", "[.]"),
    *("\x00", "\ufeff", "# \x7f", ".".join(["a"] * 1500) + " = 1", "[" + ".".join(["a"] * 1500) + "]"),
)
_ASSIGNED = re.compile(r"(?<=[=,] )[^{}\[\]\n,=]+")


def toml(random: Random, content: bytes) -> bytes:
    lines = content.decode().split("\n")
    for _ in range(random.choice((1, 1, 1, 2, 3, 6))):
        place = random.randrange(len(lines))
        match random.choice(("value",) * 8 + ("whole", "whole", "name", "line", "gone", "twice", "swap")):
            case "value":
                lines[place] = _with_value(random, lines[place])
            case "whole" if "=" in lines[place]:
                lines[place] = f"{lines[place].partition('=')[0]}= {random.choice(_VALUES)}"
            case "name" if " " in lines[place]:
                lines[place] = random.choice(("x", "method", "at", "name", "frame", "''", "a.b")) + lines[place][lines[place].index(" ") :]
            case "line":
                lines.insert(place, random.choice(_LINES))
            case "gone" if len(lines) > 1:
                del lines[place]
            case "twice":
                lines.insert(place, lines[place])
            case "swap":
                other = random.randrange(len(lines))
                lines[place], lines[other] = lines[other], lines[place]
            case _:
                lines[place] = _with_value(random, lines[place])
    changed = "\n".join(lines).encode()
    return plain.anyhow(random, changed) if random.random() < 0.15 else changed


def _with_value(random: Random, line: str) -> str:
    """One of the values on the line is another."""
    found = list(_ASSIGNED.finditer(line))
    if not found:
        return line
    one = random.choice(found)
    return line[: one.start()] + random.choice(_VALUES) + line[one.end() :]
