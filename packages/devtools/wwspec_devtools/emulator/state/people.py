"""The people of an emulated corp: employees, customers, robots, and the departments that employees belong to.

It has only names; `conversations` has who talks with whom. Employees are the same for every seed, so a program under
development always finds them. Ids of customers and robots depend on the seed.
"""

import random

import msgspec

EMPLOYEE, CUSTOMER, ROBOT = 1, 2, 3
"""Kinds of party, as WeCom numbers them."""

DEPARTMENTS = {1: "总公司", 2: "销售部", 3: "客服部"}
"""Departments by id; 1 is the corp itself."""

_EMPLOYEES = (
    ("zhangwei", "张伟", "David"),
    ("wangfang", "王芳", "Fanny"),
    ("lina", "李娜", "Lina"),
    ("liuyang", "刘洋", "Leo"),
    ("chenjing", "陈静", "Jane"),
    ("yangming", "杨明", "Ming"),
    ("zhaolei", "赵磊", "Ray"),
    ("huangmin", "黄敏", "Mindy"),
    ("zhoujie", "周杰", "Jay"),
    ("wuting", "吴婷", "Tina"),
    ("xuqiang", "徐强", "Strong"),
    ("sunli", "孙丽", "Lily"),
    ("mahui", "马辉", "Hugh"),
    ("zhulin", "朱琳", "Lynn"),
    ("hujun", "胡军", "June"),
    ("guoxin", "郭鑫", "Xin"),
    ("helan", "何岚", "Helen"),
    ("gaofei", "高飞", "Fly"),
    ("linyu", "林宇", "Yule"),
    ("luoping", "罗平", "Ping"),
)
_SURNAMES = (("陈", "chen"), ("林", "lin"), ("黄", "huang"), ("吴", "wu"), ("何", "he"), ("郑", "zheng"))
_TITLES = (("女士", "nvshi"), ("先生", "xiansheng"), ("老板", "laoban"), ("经理", "jingli"), ("同学", "tongxue"))
_REMARKS = ("重点客户", "老客户", "展会认识", "朋友介绍", "待跟进")
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class Party(msgspec.Struct, frozen=True, gc=False):
    """A sender or receiver."""

    type: int
    id: str


class Person(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The names of an employee or a customer."""

    party: Party
    name: str
    """An employee's name, a customer's nickname."""
    pinyin: str
    alias: str
    """An employee's alias, or an employee's remark on a customer."""
    department: int = 0
    """0 for customers."""

    def matches(self, word: str) -> bool:
        """Return whether a search for this word finds the person, in upper or lower case [100235]."""
        folded = word.casefold()
        return any(folded in text.casefold() for text in (self.name, self.pinyin, self.alias))


class People:
    """Everyone of one corp.

    Args:
        rng: The emulator's random source.
    """

    def __init__(self, rng: random.Random) -> None:
        self.persons = [
            Person(party=Party(EMPLOYEE, userid), name=name, pinyin=userid, alias=alias, department=2 + number % 2)
            for number, (userid, name, alias) in enumerate(_EMPLOYEES)
        ]
        self.persons += [_customer(Party(CUSTOMER, f"wm{word(rng, 30)}"), number) for number in range(30)]
        self.employees = [person.party for person in self.persons if person.party.type == EMPLOYEE]
        self.customers = [person.party for person in self.persons if person.party.type == CUSTOMER]
        self.robots = [Party(ROBOT, f"wb{word(rng, 30)}") for _ in range(2)]
        self._by_id = {person.party.id: person for person in self.persons}

    def find(self, person_id: str, kind: int) -> Person | None:
        """Return the employee or customer of this id."""
        person = self._by_id.get(person_id)
        return person if person is not None and person.party.type == kind else None

    def name_of(self, party: Party) -> str:
        """Return a speaker's name for a transcript."""
        person = self._by_id.get(party.id)
        return person.name if person is not None else "机器人"


def word(rng: random.Random, length: int) -> str:
    """Return random letters and digits, as in WeCom's ids."""
    return "".join(rng.choices(_ALPHABET, k=length))


def _customer(party: Party, number: int) -> Person:
    surname, title = _SURNAMES[number % len(_SURNAMES)], _TITLES[number % len(_TITLES)]
    return Person(
        party=party,
        name=surname[0] + title[0],
        pinyin=surname[1] + title[1],
        alias=f"{_REMARKS[number % 4]}{number:02d}",
    )
