//! A value of `job_id` that stands for several jobs.

/// What jobs are called that lived in one period only.
pub const ONE_TIME_JOBS: &str = "(one-time jobs)";

/// Whether a value of `job_id` is none of the records', but stands for several jobs.
pub fn is_group_of_jobs(value: &str) -> bool {
    value == ONE_TIME_JOBS
}
