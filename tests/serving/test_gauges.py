"""What a program tells of its threads."""

import asyncio

from tests.serving.workers.rig import Blocker, started
from tests.support.waiting import DEADLINE
from wwspec_router.monitoring.figures import Gauges
from wwspec_router.serving.program import read_gauges


def test_a_program_that_runs_no_jobs_tells_of_the_threads_of_its_calls() -> None:
    async def main() -> None:
        pool = await started(threads=1)
        assert read_gauges(pool, None) == Gauges(threads=pool.threads)
        hanging, next_one, queued = Blocker(), Blocker(), Blocker()
        futures = [pool.submit(each) for each in (hanging, next_one, queued)]
        await hanging.begun.wait()
        assert pool.replace(hanging.ident)
        await next_one.begun.wait()
        assert read_gauges(pool, None) == Gauges(busy=1, threads=1, queued=1, hung=1)
        for each in (hanging, next_one, queued):
            each.release.set()
        await asyncio.gather(*futures)
        assert await pool.stop(DEADLINE) == 0

    asyncio.run(main())
