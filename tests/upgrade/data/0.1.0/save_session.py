"""A zone whose session is saved as a file. Arguments: the application's folder, the file."""

import json
import sys
from pathlib import Path

from wwspec_router.testing.zone import Zone

app, file = map(Path, sys.argv[1:])
with Zone.in_process(app) as zone:
    zone.client.add_fault("sdk", "latency", "sync_msg", 0.01)
    zone.call("chat_digest", {"limit": 3}).raise_for_error()
    zone.fire("auth_knowledge_base")
    zone.call("get_callback_data", notify_id=zone.notified()).raise_for_error()
    zone.submit("group", {"chatid": "x"})
    file.write_text(json.dumps(zone.client.session()), "utf-8")
