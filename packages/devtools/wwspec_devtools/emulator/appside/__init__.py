"""The endpoints of WeCom that an enterprise app calls, under /cgi-bin/."""
