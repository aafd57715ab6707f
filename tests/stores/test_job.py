"""The texts of a job are stored as in the first release, whose programs may share the store."""

import pytest

from wwspec_router.stores.job import Job, fields_of, stored_texts


def a_job(**fields: str) -> Job:
    return Job(job_id="1", corpid="corp", agentid=7, data="{}", notify_id="n", **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("job", "ability_id", "job_info"),
    [
        (a_job(ability_id="digest", job_info="of WeCom"), "digest", "of WeCom"),
        (a_job(event_type="hit_keyword", notify="after"), "event:hit_keyword", "after"),
    ],
    ids=["a call", "an event"],
)
def test_a_job_is_stored_under_the_names_of_the_first_release_and_comes_back(
    job: Job, ability_id: str, job_info: str
) -> None:
    stored = {"job_id": "1", "corpid": "corp", "data": "{}", "notify_id": "n"}
    assert stored_texts(job) == {**stored, "ability_id": ability_id, "job_info": job_info}
    assert a_job(**fields_of(ability_id, job_info)) == job
