"""What WeCom defines: its SDK APIs in `api`, its events in `events`, and the shapes that they share.

The module of an API can be imported from here, too:

    from wwspec_contracts import sync_msg

This package imports no contract until one is named, so a program pays only for those that it uses.
"""

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from wwspec_contracts.api import (
        create_chatdata_export_job as create_chatdata_export_job,
        create_customer_tag_task as create_customer_tag_task,
        create_model_task as create_model_task,
        create_program_task as create_program_task,
        create_recommend_dialog_task as create_recommend_dialog_task,
        create_rule as create_rule,
        create_sentiment_task as create_sentiment_task,
        create_spam_task as create_spam_task,
        create_summary_task as create_summary_task,
        create_ww_model_task as create_ww_model_task,
        delete_rule as delete_rule,
        get_agree_status_room as get_agree_status_room,
        get_agree_status_single as get_agree_status_single,
        get_chatdata_export_job_status as get_chatdata_export_job_status,
        get_customer_tag_result as get_customer_tag_result,
        get_group_chat as get_group_chat,
        get_hide_sensitiveinfo_config as get_hide_sensitiveinfo_config,
        get_hit_msg_list as get_hit_msg_list,
        get_model_task_result as get_model_task_result,
        get_msg_list_by_page_id as get_msg_list_by_page_id,
        get_program_task_result as get_program_task_result,
        get_recommend_dialog_result as get_recommend_dialog_result,
        get_rule_detail as get_rule_detail,
        get_rule_list as get_rule_list,
        get_sentiment_result as get_sentiment_result,
        get_spam_result as get_spam_result,
        get_summary_result as get_summary_result,
        get_ww_model_result as get_ww_model_result,
        knowledge_base_add_doc as knowledge_base_add_doc,
        knowledge_base_create as knowledge_base_create,
        knowledge_base_delete as knowledge_base_delete,
        knowledge_base_detail as knowledge_base_detail,
        knowledge_base_list as knowledge_base_list,
        knowledge_base_modify_name as knowledge_base_modify_name,
        knowledge_base_remove_doc as knowledge_base_remove_doc,
        program_async_job_call_back as program_async_job_call_back,
        search_chat as search_chat,
        search_contact_or_customer as search_contact_or_customer,
        search_msg as search_msg,
        set_hide_sensitiveinfo_config as set_hide_sensitiveinfo_config,
        spec_notify_app as spec_notify_app,
        sync_msg as sync_msg,
        update_rule as update_rule,
    )
else:

    def __getattr__(name: str) -> ModuleType:
        """Import the module of an SDK API by the API's name."""
        try:
            module = import_module(f"{__name__}.api.{name}")
        except ModuleNotFoundError:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
        globals()[name] = module  # the next look-up finds it in the module
        return module
