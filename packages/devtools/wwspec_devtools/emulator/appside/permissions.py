"""Which kind of app may call which API, and the data permission that it needs: one table, by WeCom's pages.

It counts only for a kind of app that the settings name. An API without a row answers every app. The pages name the
permission for the zone; that a third-party app has it from the corp's second authorisation, which ends after 90 days,
is written in [101439]; that custom-developed apps have it so, too, and the column of external service apps, follow from
[98459] and [101458], which name no single API.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from wwspec_devtools.emulator.answers import RefusedError
from wwspec_devtools.emulator.state.accounts import App
from wwspec_devtools.emulator.state.authorisations import CHAT, DOCUMENT, KNOWLEDGE, PERMISSIONS
from wwspec_devtools.emulator.state.world import Caller, World

Need = Literal["no", "free", "any", "chat", "knowledge", "document"]
"""`no`: the kind of app may not call it. `free`: it needs no data permission. `any`: it needs any one of them."""

NO: Need = "no"
FREE: Need = "free"
ANY: Need = "any"

REFUSED = 48002
"""The kind of app has no right to call the API."""
MISSING = 710726
"""The app was never given the data permission."""


class Row(NamedTuple):
    """What each kind of app needs for one API."""

    page: int
    """The number of WeCom's page."""
    self_built: Need
    custom: Need
    third: Need
    external: Need

    def need(self, app_type: str) -> Need:
        """Return what a kind of app needs."""
        kinds = {"self": self.self_built, "custom": self.custom, "third": self.third, "external": self.external}
        return kinds[app_type]


def _all(page: int, need: Need, *apis: str, external: Need | None = None) -> dict[str, Row]:
    return {api: Row(page, need, need, need, external or need) for api in apis}


ROWS: Mapping[str, Row] = {
    **_all(99968, CHAT, "sync_msg", "get_msg_list_by_page_id"),
    **_all(99969, CHAT, "get_agree_status_single", "get_agree_status_room"),
    **_all(99970, CHAT, "get_group_chat"),
    **_all(99971, CHAT, "search_chat"),
    **_all(99972, CHAT, "search_msg"),
    **_all(100243, CHAT, "search_contact_or_customer"),
    **_all(99973, CHAT, "create_rule", "get_rule_list", "get_rule_detail", "update_rule", "delete_rule"),
    **_all(99974, CHAT, "get_hit_msg_list"),
    **_all(99975, KNOWLEDGE, "knowledge_base_list", "knowledge_base_create", "knowledge_base_detail", external=NO),
    **_all(99975, KNOWLEDGE, "knowledge_base_add_doc", "knowledge_base_remove_doc", external=NO),
    **_all(99975, KNOWLEDGE, "knowledge_base_modify_name", "knowledge_base_delete", external=NO),
    **_all(101373, CHAT, "create_ww_model_task", "get_ww_model_result"),
    **_all(99977, CHAT, "create_recommend_dialog_task", "get_recommend_dialog_result"),
    **_all(99979, CHAT, "create_customer_tag_task", "get_customer_tag_result"),
    **_all(99980, CHAT, "create_summary_task", "get_summary_result"),
    **_all(99983, CHAT, "create_sentiment_task", "get_sentiment_result"),
    **_all(99986, CHAT, "create_spam_task", "get_spam_result"),
    **_all(99985, CHAT, "create_model_task", "get_model_task_result"),
    **_all(99988, CHAT, "create_program_task", "get_program_task_result"),
    **_all(99987, CHAT, "create_chatdata_export_job", "get_chatdata_export_job_status"),
    **_all(99989, FREE, "program_async_job_call_back"),
    **_all(99990, FREE, "spec_notify_app"),
    "chatdata/set_public_key": Row(99961, NO, CHAT, CHAT, ANY),
    **_all(99962, CHAT, "chatdata/get_auth_user_list"),
    **_all(99963, CHAT, "chatdata/set_receive_callback", external=ANY),
    **_all(99965, CHAT, "chatdata/sync_call_program", external=ANY),
    **_all(99966, CHAT, "chatdata/async_program_task", "chatdata/async_program_result", external=ANY),
    **_all(100139, CHAT, "set_hide_sensitiveinfo_config", "get_hide_sensitiveinfo_config"),
    **_all(100139, CHAT, "chatdata/set_hide_sensitiveinfo_config", "chatdata/get_hide_sensitiveinfo_config"),
    **_all(100108, CHAT, "chatdata/set_log_level", "chatdata/get_log_level", external=ANY),
    **_all(100174, CHAT, "chatdata/upload_media", external=ANY),
    **_all(100087, CHAT, "chatdata/open_debug_mode", external=ANY),
    **_all(101392, CHAT, "chatdata/close_debug_mode", external=ANY),
    **_all(100113, CHAT, "chatdata/check_debug_mode", external=ANY),
    "chatdata/get_corp_auth_info": Row(100237, NO, CHAT, CHAT, CHAT),
    "docdata/get_auth_info": Row(101488, NO, NO, DOCUMENT, DOCUMENT),
    **_all(101882, DOCUMENT, "docdata/get_auth_user_list"),
    **_all(90506, FREE, "get_jsapi_ticket", "ticket/get"),
    "auth/getuserinfo": Row(91023, FREE, FREE, NO, NO),
    "auth/getuserdetail": Row(95833, FREE, FREE, NO, NO),
    "service/auth/getuserinfo3rd": Row(91121, NO, NO, FREE, FREE),
    "service/get_corp_token": Row(97175, NO, NO, FREE, FREE),
}
"""By the name of an SDK API, or the path of an API of the app's side."""


def check_kind(world: World, api: str) -> None:
    """Check that the kind of app may call an API; it needs no lock.

    Raises:
        RefusedError: 48002.
    """
    kind, row = world.settings.app_type, ROWS.get(api)
    if kind and row is not None and row.need(kind) == NO:
        raise RefusedError(REFUSED, f"an app of the kind {kind} may not call {api} [{row.page}]")


def check(world: World, app: App, api: str) -> None:
    """Check that an app may call an API; it needs no lock.

    Raises:
        RefusedError: 48002 for its kind, 710726 without data permission, or the errcode of the settings after its end.
    """
    kind = world.settings.app_type
    if not kind:
        return
    check_kind(world, api)
    row = ROWS.get(api)
    if row is None or (need := row.need(kind)) == FREE:
        return
    now = world.clock.now()
    permissions = PERMISSIONS if need == ANY else (need,)
    with world.lock:
        granted = app.authorisation
        if any(granted.has(each, now) for each in permissions):
            return
        has_ended = any(each in granted.grants for each in permissions)
    if has_ended:
        raise RefusedError(world.settings.expired_errcode, f"the data permission has ended ({need}): 90 days are over")
    raise RefusedError(MISSING, f"the corp has not granted the data permission ({need})")


def check_sdk(world: World, caller: Caller, api: str) -> None:
    """Check that the app for which a program calls may call an SDK API; it needs no lock.

    Raises:
        RefusedError: As `check`, and 710641.
    """
    if world.settings.app_type:
        with world.lock:
            app = world.caller_app(caller)
        check(world, app, api)
