"""The app's stores in its own SQL database, by SQLAlchemy. Needs the extra `sql`."""

from wwspec_router.host.extras import require

require("sql", "wwspec_router.client.sql")

from wwspec_router.client.sql import archive_table  # noqa: E402, F401 - after the check of the extra; adds its table
from wwspec_router.client.sql.tables import METADATA, create_tables  # noqa: E402 - after the check of the extra

__all__ = ["METADATA", "create_tables"]
