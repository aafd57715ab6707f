"""An enterprise app on a published client of WeCom's API, with its base URL as it is published.

usage: call_with_wechatpy.py CORPID SECRET PROGRAM_ID    prints what each line of standard input, an ability ID, answers
"""

import json
import sys

from wechatpy.enterprise import WeChatClient

corpid, secret, program_id = sys.argv[1:]
client = WeChatClient(corpid, secret)
for line in sys.stdin:
    request = {"program_id": program_id, "ability_id": line.strip(), "request_data": '{"limit": 2}'}
    answer = client.post("chatdata/sync_call_program", data=request)
    sys.stdout.write(json.dumps({"answer": answer, "token": client.access_token}) + "\n")
    sys.stdout.flush()
