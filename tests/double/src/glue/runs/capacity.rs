//! The capacity of a run, from the request and the job's definition.

#[cfg(test)]
mod tests;

use crate::{error::AwsError, glue::jobs::JobSettings};

/// The requested capacity: `AllocatedCapacity`, `MaxCapacity`, or worker type and number of workers.
#[derive(Clone, Debug, Default)]
pub struct CapacityRequest<'a> {
    /// `AllocatedCapacity`, in DPUs; deprecated in favour of `MaxCapacity`.
    pub allocated: Option<u32>,
    /// `MaxCapacity`, in DPUs.
    pub max: Option<f64>,
    /// `WorkerType`.
    pub worker_type: Option<&'a str>,
    /// `NumberOfWorkers`.
    pub workers: Option<u32>,
}

/// The capacity of a run or job.
#[derive(Clone, Debug, PartialEq)]
pub struct Capacity {
    /// In DPUs.
    pub max_capacity: f64,
    /// The worker type and the number of workers, if they were requested.
    pub workers: Option<(String, u32)>,
}

impl Capacity {
    /// `AllocatedCapacity`: the whole DPUs, rounded down.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounding down is the point")]
    pub fn allocated(&self) -> u32 {
        self.max_capacity.max(0.0) as u32
    }
}

/// The DPUs (or M-DPUs) of one worker.
#[must_use]
pub fn dpus(worker_type: &str) -> f64 {
    match worker_type {
        "G.025X" => 0.25,
        "G.2X" | "R.2X" | "Z.2X" => 2.0,
        "G.4X" | "R.4X" => 4.0,
        "G.8X" | "R.8X" => 8.0,
        "G.12X" => 12.0,
        "G.16X" => 16.0,
        _ => 1.0,
    }
}

/// The capacity in a job's definition.
pub fn of_job(job: &JobSettings) -> Result<Capacity, AwsError> {
    let request = CapacityRequest {
        allocated: job.allocated_capacity,
        max: job.max_capacity,
        worker_type: job.worker_type.as_deref(),
        workers: job.number_of_workers,
    };
    granted(job, &request)
}

/// The capacity of a run: the requested one, completed from the job's definition and Glue's defaults.
pub fn granted(job: &JobSettings, request: &CapacityRequest<'_>) -> Result<Capacity, AwsError> {
    let by_dpus = request.max.is_some() || request.allocated.is_some();
    let by_workers = request.worker_type.is_some() || request.workers.is_some();
    if request.max.is_some() && request.allocated.is_some() {
        return Err(AwsError::invalid("Please set only Allocated Capacity or Max Capacity."));
    }
    if by_dpus && (by_workers || job.worker_type.is_some()) {
        return Err(AwsError::invalid("Please do not set Max Capacity if using Worker Type and Number of Workers."));
    }
    if by_dpus {
        let max_capacity = request.max.or(request.allocated.map(f64::from)).unwrap_or_default();
        check_dpus(job, max_capacity)?;
        return Ok(Capacity { max_capacity, workers: None });
    }
    let worker_type = request.worker_type.or(job.worker_type.as_deref());
    let workers = request.workers.or(job.number_of_workers);
    match (worker_type, workers) {
        (Some(kind), Some(number)) if number > 0 => {
            Ok(Capacity { max_capacity: dpus(kind) * f64::from(number), workers: Some((kind.to_owned(), number)) })
        }
        (None, None) => {
            let default = if job.command.name == "pythonshell" { 0.0625 } else { 10.0 };
            let max_capacity = job.max_capacity.or(job.allocated_capacity.map(f64::from)).unwrap_or(default);
            Ok(Capacity { max_capacity, workers: None })
        }
        _ => Err(AwsError::invalid("Please set both Worker Type and Number of Workers.")),
    }
}

fn check_dpus(job: &JobSettings, dpus: f64) -> Result<(), AwsError> {
    let allowed = match job.command.name.as_str() {
        "pythonshell" => [0.0625, 1.0].contains(&dpus),
        _ => dpus.fract() == 0.0 && (2.0..=100.0).contains(&dpus),
    };
    if allowed {
        return Ok(());
    }
    Err(AwsError::invalid(match job.command.name.as_str() {
        "pythonshell" => "Max capacity for Python shell jobs must be either 0.0625 or 1.".to_owned(),
        name => format!("Max capacity for {name} jobs must be a whole number from 2 to 100."),
    }))
}
