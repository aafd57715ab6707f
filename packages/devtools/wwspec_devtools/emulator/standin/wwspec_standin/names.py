"""The names of the SDK APIs that WeCom documents, a group in each line.

Names that occur only in other people's code are left out.
"""

_GROUPS = (
    "program_async_job_call_back",  # asynchronous jobs of the program [99847]
    "sync_msg get_msg_list_by_page_id",  # messages [99824]
    "get_group_chat get_agree_status_single get_agree_status_room",  # groups, consent [99825, 99826]
    "set_hide_sensitiveinfo_config get_hide_sensitiveinfo_config",  # masking [100055]
    "search_chat search_msg search_contact_or_customer",  # search [99802, 99818, 100235]
    "create_rule get_rule_list get_rule_detail update_rule delete_rule get_hit_msg_list",  # keywords [99829, 99830]
    "knowledge_base_list knowledge_base_create knowledge_base_detail",  # knowledge bases [99836]
    "knowledge_base_add_doc knowledge_base_remove_doc knowledge_base_modify_name knowledge_base_delete",
    "create_ww_model_task get_ww_model_result",  # analysis tasks [99875, 99831-99834, 100036]
    "create_recommend_dialog_task get_recommend_dialog_result create_customer_tag_task get_customer_tag_result",
    "create_summary_task get_summary_result create_sentiment_task get_sentiment_result",
    "create_spam_task get_spam_result",
    "create_model_task get_model_task_result",  # own models and programs [99835, 99873]
    "create_program_task get_program_task_result",
    "create_chatdata_export_job get_chatdata_export_job_status",  # export [99838]
    "spec_notify_app",  # notifying the app [99849]
)

SDK_APIS = tuple(" ".join(_GROUPS).split())
