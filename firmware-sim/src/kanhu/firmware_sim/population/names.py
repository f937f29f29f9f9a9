"""Invented names of people and villages, in characters and Latin letters."""

import random

_SURNAMES = (
    ("王", "Wang"), ("李", "Li"), ("张", "Zhang"), ("刘", "Liu"), ("陈", "Chen"), ("杨", "Yang"), ("赵", "Zhao"),
    ("黄", "Huang"), ("周", "Zhou"), ("吴", "Wu"), ("徐", "Xu"), ("孙", "Sun"), ("胡", "Hu"), ("朱", "Zhu"),
    ("高", "Gao"), ("林", "Lin"), ("何", "He"), ("郭", "Guo"), ("马", "Ma"), ("罗", "Luo"), ("梁", "Liang"),
    ("宋", "Song"), ("郑", "Zheng"), ("谢", "Xie"), ("韩", "Han"), ("唐", "Tang"), ("冯", "Feng"), ("董", "Dong"),
)  # fmt: skip  # a table reads by rows

_WOMEN = (
    ("秀", "xiu"), ("英", "ying"), ("桂", "gui"), ("兰", "lan"), ("玉", "yu"), ("珍", "zhen"), ("凤", "feng"),
    ("春", "chun"), ("花", "hua"), ("梅", "mei"), ("素", "su"), ("芳", "fang"), ("琴", "qin"), ("香", "xiang"),
)  # fmt: skip  # a table reads by rows

_MEN = (
    ("德", "de"), ("福", "fu"), ("志", "zhi"), ("明", "ming"), ("长", "chang"), ("顺", "shun"), ("文", "wen"),
    ("生", "sheng"), ("国", "guo"), ("建", "jian"), ("永", "yong"), ("贵", "gui"), ("金", "jin"), ("山", "shan"),
)  # fmt: skip  # a table reads by rows

_FIRST_OF_VILLAGE = (
    ("柳", "liu"), ("石", "shi"), ("大", "da"), ("东", "dong"), ("上", "shang"), ("下", "xia"), ("松", "song"),
    ("白", "bai"), ("清", "qing"), ("南", "nan"), ("红", "hong"), ("竹", "zhu"),
)  # fmt: skip  # a table reads by rows

_SECOND_OF_VILLAGE = (
    ("树沟", "shugou"), ("桥", "qiao"), ("坪", "ping"), ("岭", "ling"), ("河湾", "hewan"), ("水", "shui"),
    ("坡", "po"), ("家湾", "jiawan"), ("崖", "ya"), ("田", "tian"), ("塘", "tang"), ("源", "yuan"),
)  # fmt: skip  # a table reads by rows

_Name = tuple[str, str]


def person_name(draw: random.Random, sex: str, *, surname: _Name | None = None) -> _Name:
    """A name in characters, and in Latin letters."""
    family = surname or draw.choice(_SURNAMES)
    first, second = draw.sample(_WOMEN if sex == "f" else _MEN, 2)
    return family[0] + first[0] + second[0], f"{family[1]} {first[1].capitalize()}{second[1]}"


def surname(draw: random.Random) -> _Name:
    """A family's name."""
    return draw.choice(_SURNAMES)


def village_name(number: int) -> _Name:
    """The name of the village with this number, counted from 1; no two in the first 144 are the same."""
    first = _FIRST_OF_VILLAGE[number % len(_FIRST_OF_VILLAGE)]
    turn = number // len(_FIRST_OF_VILLAGE)
    second = _SECOND_OF_VILLAGE[(number + turn) % len(_SECOND_OF_VILLAGE)]
    return f"{first[0]}{second[0]}村", f"{first[1]}{second[1]}".capitalize()
