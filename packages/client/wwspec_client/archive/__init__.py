"""Archives the messages of any number of corps in the app's own database, each exactly once. Needs the extra `sql`."""

from wwspec_contracts.extras import require

require("sql", "wwspec_client.archive")

from wwspec_client.archive.asynchronous import AsyncArchiver  # noqa: E402 - after the check of the extra
from wwspec_client.archive.blocking import Archiver  # noqa: E402
from wwspec_client.archive.core import ArchiverOptions  # noqa: E402
from wwspec_client.archive.models import ArchivePage  # noqa: E402
from wwspec_client.archive.rows import ArchiveStatus  # noqa: E402

__all__ = ["ArchivePage", "ArchiveStatus", "Archiver", "ArchiverOptions", "AsyncArchiver"]
