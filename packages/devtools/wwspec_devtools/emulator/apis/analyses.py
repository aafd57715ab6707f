"""SDK APIs of WeCom's own analyses: sentiment, spam, summary, tags, suggested answers [99831-99834, 100036].

Each pair of APIs makes a task and returns its result. The models are in `wwspec_devtools.emulator.state.analyses`.
"""

from collections.abc import Callable
from typing import Any

from wwspec_devtools.emulator.answers import Answer, Asked, accepted
from wwspec_devtools.emulator.state import analyses, placeholders
from wwspec_devtools.emulator.state.accounts import App
from wwspec_devtools.emulator.state.corps import Corp
from wwspec_devtools.emulator.state.tags import TAG_GROUPS, TagGroup
from wwspec_devtools.emulator.state.tasks import (
    MAX_CHARACTERS,
    TASK_SECONDS,
    AnalysisTask,
    ChosenMessages,
    MessageKey,
    select,
)
from wwspec_devtools.emulator.state.world import World

ALL_FAILED = 710637
TOO_LONG = 790040

DAILY_LIMITED = (
    "create_ww_model_task",
    "create_recommend_dialog_task",
    "create_customer_tag_task",
    "create_summary_task",
    "create_model_task",
)
"""The APIs that a corp may call 10000 times a day. For `create_program_task` no number is published [99988]."""

JUDGING = ("create_sentiment_task", "create_spam_task")
"""The APIs that are limited by their messages [99983, 99986]."""


class Messages(Asked):
    """Request of the tasks on messages only."""

    msg_list: list[MessageKey]


class RecommendDialog(Asked):
    """Request of `create_recommend_dialog_task`."""

    kb_id: str
    msg_list: list[MessageKey]


class AskedTagGroup(Asked):
    """A customer tag group."""

    group_id: str


class CustomerTag(Asked):
    """Request of `create_customer_tag_task`."""

    tag_group_list: list[AskedTagGroup]
    msg_list: list[MessageKey]
    model_id: str = ""


class JobId(Asked):
    """Request of the APIs that return a result."""

    jobid: str


def create_sentiment_task(world: World, app: App, request: Messages) -> Answer:
    """Judge the mood of each message."""
    return _judge(world, app, request, "create_sentiment_task", analyses.moods)


def create_spam_task(world: World, app: App, request: Messages) -> Answer:
    """Check each message for forbidden content."""
    return _judge(world, app, request, "create_spam_task", analyses.findings)


def create_summary_task(world: World, app: App, request: Messages) -> Answer:
    """Summarise messages; text beyond 30000 characters is not read."""
    corp = world.corp(app)
    chosen = select(corp.chats, app.keys, request.msg_list)
    text = analyses.summary(_chat(world, corp, chosen), chosen.readable) if chosen.readable else ""
    return start_task(world, app, "create_summary_task", chosen, response_data=text)


def create_recommend_dialog_task(world: World, app: App, request: RecommendDialog) -> Answer:
    """Suggest an answer from a knowledge base."""
    corp = world.corp(app)
    base = corp.knowledge.usable(request.kb_id)
    chosen = select(corp.chats, app.keys, request.msg_list)
    contents = base.learnt(world.clock.now())
    text = analyses.suggestion(base.name, contents, chosen.readable) if chosen.readable else ""
    errcode = _length_errcode(_chat(world, corp, chosen))
    answer = start_task(world, app, "create_recommend_dialog_task", chosen, errcode, response_data=text)
    return {**answer, "fail_tag_group_id_list": []}


def create_customer_tag_task(world: World, app: App, request: CustomerTag) -> Answer:
    """Find the tag of each group that fits; unknown groups fit nothing."""
    groups, _unknown = tag_groups(request.tag_group_list)
    chosen = select(world.corp(app).chats, app.keys, request.msg_list)
    tags = analyses.fitting_tags(groups, chosen.readable)
    errcode = _length_errcode("".join(map(_expanded, request.tag_group_list)))
    return start_task(world, app, "create_customer_tag_task", chosen, errcode, tag_result_list=tags)


def _expanded(asked: AskedTagGroup) -> str:
    """Return the text of a group in the model's input: its name and its tags."""
    group = TAG_GROUPS.get(asked.group_id)
    return asked.group_id if group is None else group.name + "".join(tag.name for tag in group.tags)


def tag_groups(asked: list[AskedTagGroup]) -> tuple[list[TagGroup], list[str]]:
    """Return the groups that exist, and the ids of the others."""
    ids = list(dict.fromkeys(group.group_id for group in asked))
    known = [TAG_GROUPS[group_id] for group_id in ids if group_id in TAG_GROUPS]
    return known, [group_id for group_id in ids if group_id not in TAG_GROUPS]


def start_task(
    world: World, app: App, kind: str, chosen: ChosenMessages | None, errcode: int = 0, **outcome: Any
) -> Answer:
    """Start a task with a fixed outcome, and return its jobid; needs the lock.

    Args:
        world: The emulator's state.
        app: Whose task it is.
        kind: The API that makes it.
        chosen: Its messages; None for a task without any.
        errcode: Why it fails; 0 when it succeeds, unless no message could be read.
        outcome: What its result holds besides errcode, status and fail_list.
    """
    corp, now = world.corp(app), world.clock.now()
    if kind in DAILY_LIMITED:
        corp.daily_tasks.admit(kind, now)
    if kind in JUDGING and chosen is not None:
        corp.daily_messages.admit(kind, now, chosen.count)
    failures = [] if chosen is None else chosen.fail_list
    if chosen is not None and not chosen.readable:
        errcode = ALL_FAILED
    fields = outcome if "analyze_result_list" in outcome else {"fail_list": failures, **({} if errcode else outcome)}
    jobid = corp.tasks.add(kind, app.agentid, now + TASK_SECONDS, fields, errcode)
    return accepted(jobid=jobid, fail_list=[] if chosen is None else chosen.repeated_list)


def result_of(
    kind: str, answer: Callable[[AnalysisTask, float], Answer] = AnalysisTask.result
) -> Callable[[World, App, JobId], Answer]:
    """Return the API for the result of one kind of task; `answer` makes its answer of the task and the time."""

    def get_result(world: World, app: App, request: JobId) -> Answer:
        return answer(world.corp(app).tasks.get(kind, app.agentid, request.jobid), world.clock.now())

    return get_result


def _judge(
    world: World, app: App, request: Messages, kind: str, judge: Callable[[ChosenMessages], list[dict[str, Any]]]
) -> Answer:
    chosen = select(world.corp(app).chats, app.keys, request.msg_list)
    return start_task(world, app, kind, chosen, analyze_result_list=judge(chosen))


def _chat(world: World, corp: Corp, chosen: ChosenMessages) -> str:
    return placeholders.chat(corp.chats, chosen.readable, world.settings.speakers, roles=True)


def _length_errcode(text: str) -> int:
    return TOO_LONG if len(text) > MAX_CHARACTERS else 0


get_sentiment_result = result_of("create_sentiment_task")
get_spam_result = result_of("create_spam_task")
get_summary_result = result_of("create_summary_task")
get_recommend_dialog_result = result_of("create_recommend_dialog_task")
get_customer_tag_result = result_of("create_customer_tag_task")
