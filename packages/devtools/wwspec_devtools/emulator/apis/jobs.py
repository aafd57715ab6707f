"""The SDK API by which a program reports an asynchronous result: `program_async_job_call_back` [99847].

It ends the jobs of `async_program_task`, `create_program_task` and `create_model_task`.
"""

from wwspec_devtools.emulator.program.programs import report_job

program_async_job_call_back = report_job
