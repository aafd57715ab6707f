"""The ability table: registry file -> rows -> routes, checked whole before the port is opened."""
