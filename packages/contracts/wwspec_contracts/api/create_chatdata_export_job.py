"""Start a chat export, which fills a template file (创建会话内容导出任务) [99838, 99987, 100037].

The template holds marks such as `$userName=USERID$`, `$chatName=CHATID$` and
`$msgContent=MSGID/SECRET-KEY$`; a mark that is wrong or not authorised stays as it is. A message that can't be
shown becomes a text that says why, such as 消息密钥错误 for a wrong key. 1000 exports a day for one corp, 100000
messages in a file, and 64 MB for the filled file.
"""

from wwspec_contracts.api import get_chatdata_export_job_status
from wwspec_contracts.base import Output, TaskRequest


class Response(Output):
    """The new job."""

    jobid: str = ""
    """For get_chatdata_export_job_status."""


class Request(TaskRequest[Response, get_chatdata_export_job_status.Response]):
    """Whose permission, and which template."""

    result = get_chatdata_export_job_status.Request

    code: str
    """From the export button of the chat component; good for one use within 5 minutes."""
    media_id: str
    """The template (doc, docx, xls, xlsx or txt), uploaded as temporary media of type file."""
