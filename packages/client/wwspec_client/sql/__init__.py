"""The app's stores in its own SQL database, by SQLAlchemy. Needs the extra `sql`."""

from wwspec_contracts.extras import require

require("sql", "wwspec_client.sql")

from wwspec_client.sql.cursor import SqlCursor  # noqa: E402 - after the check of the extra
from wwspec_client.sql.keys import SqlKeyStore  # noqa: E402
from wwspec_client.sql.pending import SqlPendingStore  # noqa: E402
from wwspec_client.sql.suites import Cipher, SqlInstallationStore, SqlTokenStore  # noqa: E402
from wwspec_client.sql.tables import METADATA, create_tables  # noqa: E402

__all__ = [
    "METADATA",
    "Cipher",
    "SqlCursor",
    "SqlInstallationStore",
    "SqlKeyStore",
    "SqlPendingStore",
    "SqlTokenStore",
    "create_tables",
]
