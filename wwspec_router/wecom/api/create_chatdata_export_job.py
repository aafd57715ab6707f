"""Start a chat export, which fills a template file (创建会话内容导出任务) [99838, 100037].

The template holds marks such as `$userName=USERID$`, `$chatName=CHATID$` and
`$msgContent=MSGID/SECRET-KEY$`; a mark that is wrong or not authorised stays as it is. 1000 exports a day
for one corp, 100000 messages in a file, and 64 MB for the filled file.
"""

from wwspec_router.contracts import ApiRequest, Output


class Response(Output):
    """The new job."""

    jobid: str = ""


class Request(ApiRequest[Response]):
    """Whose permission, and which template."""

    code: str
    """From the export button of the chat component; good for one use within 5 minutes."""
    media_id: str
    """The template (doc, docx, xls, xlsx or txt), uploaded as temporary media of type file."""
