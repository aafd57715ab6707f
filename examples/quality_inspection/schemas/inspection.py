"""What the app asks the program, and what the program tells the app."""

from wwspec_router import Contract, Output


class WatchRequest(Contract):
    """Begin to inspect: under this name WeCom looks for the forbidden words."""

    name: str


class Counted(Contract):
    """Comes with an event: how many messages of employees are new."""

    messages: int


class Hit(Contract):
    """A message with a forbidden word."""

    msgid: str
    employee: str


class Finding(Contract):
    """Messages to look at: a ticket. Its number is the notify_id."""

    hits: list[Hit]


class ReportRequest(Contract):
    """A report under a name of the app's own."""

    report_id: str


class Progress(Contract):
    """How far a report is."""

    report_id: str
    done: int
    total: int


class Employee(Contract):
    """How many messages an employee has written, and how many of them have a forbidden word."""

    userid: str
    messages: int
    hits: int


class Report(Output):
    """How many messages of 31 days have a forbidden word, and who has written what since the inspection began."""

    found: int = 0
    employees: list[Employee] = []
