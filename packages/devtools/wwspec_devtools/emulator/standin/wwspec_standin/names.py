"""The names of the SDK APIs that WeCom documents, group by group.

Names that occur only in other people's code are left out.
"""

SDK_APIS = (
    # asynchronous jobs of the program [99847]
    "program_async_job_call_back",
    # messages, groups, consent [99824, 99825, 99826]
    "sync_msg",
    "get_msg_list_by_page_id",
    "get_group_chat",
    "get_agree_status_single",
    "get_agree_status_room",
    # masking [100055]
    "set_hide_sensitiveinfo_config",
    "get_hide_sensitiveinfo_config",
    # search [99802, 99818, 100235]
    "search_chat",
    "search_msg",
    "search_contact_or_customer",
    # keyword rules [99829, 99830]
    "create_rule",
    "get_rule_list",
    "get_rule_detail",
    "update_rule",
    "delete_rule",
    "get_hit_msg_list",
    # knowledge bases [99836]
    "knowledge_base_list",
    "knowledge_base_create",
    "knowledge_base_detail",
    "knowledge_base_add_doc",
    "knowledge_base_remove_doc",
    "knowledge_base_modify_name",
    "knowledge_base_delete",
    # analysis tasks [99875, 99831-99835, 100036]
    "create_ww_model_task",
    "get_ww_model_result",
    "create_recommend_dialog_task",
    "get_recommend_dialog_result",
    "create_customer_tag_task",
    "get_customer_tag_result",
    "create_summary_task",
    "get_summary_result",
    "create_sentiment_task",
    "get_sentiment_result",
    "create_spam_task",
    "get_spam_result",
    # own models and programs [99835, 99873]
    "create_model_task",
    "get_model_task_result",
    "create_program_task",
    "get_program_task_result",
    # export [99838]
    "create_chatdata_export_job",
    "get_chatdata_export_job_status",
    # notifying the app [99849]
    "spec_notify_app",
)
