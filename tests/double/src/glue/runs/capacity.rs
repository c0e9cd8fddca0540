//! Capacity: what a run is granted of what the run and the job ask for.

use crate::{error::AwsError, glue::jobs::JobSettings};

/// What is asked for; at most one way of the three.
#[derive(Clone, Debug, Default)]
pub struct Asked<'a> {
    /// DPUs, the way before `max_capacity`.
    pub allocated: Option<u32>,
    /// DPUs.
    pub max: Option<f64>,
    /// Worker type.
    pub worker_type: Option<&'a str>,
    /// Number of workers.
    pub workers: Option<u32>,
}

/// What is granted.
#[derive(Clone, Debug, PartialEq)]
pub struct Capacity {
    /// DPUs.
    pub max_capacity: f64,
    /// Worker type and number, when they were asked for.
    pub workers: Option<(String, u32)>,
}

impl Capacity {
    /// Whole DPUs, as `AllocatedCapacity` shows them.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounding down is the point")]
    pub fn allocated(&self) -> u32 {
        self.max_capacity.max(0.0) as u32
    }
}

/// DPUs (or M-DPUs) of one worker.
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

/// What a job has by itself.
pub fn of_job(job: &JobSettings) -> Result<Capacity, AwsError> {
    let asked = Asked {
        allocated: job.allocated_capacity,
        max: job.max_capacity,
        worker_type: job.worker_type.as_deref(),
        workers: job.number_of_workers,
    };
    granted(job, &asked)
}

/// What a run is granted, by what it asks for and else by its job.
pub fn granted(job: &JobSettings, asked: &Asked<'_>) -> Result<Capacity, AwsError> {
    let by_dpus = asked.max.is_some() || asked.allocated.is_some();
    let by_workers = asked.worker_type.is_some() || asked.workers.is_some();
    if asked.max.is_some() && asked.allocated.is_some() {
        return Err(AwsError::invalid("Please set only Allocated Capacity or Max Capacity."));
    }
    if by_dpus && (by_workers || job.worker_type.is_some()) {
        return Err(AwsError::invalid("Please do not set Max Capacity if using Worker Type and Number of Workers."));
    }
    if by_dpus {
        let max_capacity = asked.max.or(asked.allocated.map(f64::from)).unwrap_or_default();
        check_dpus(job, max_capacity)?;
        return Ok(Capacity { max_capacity, workers: None });
    }
    let worker_type = asked.worker_type.or(job.worker_type.as_deref());
    let workers = asked.workers.or(job.number_of_workers);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::glue::jobs::JobDefinition;

    #[test]
    fn a_run_can_change_one_half_of_its_jobs_workers() {
        let job = JobDefinition::new("etl").workers("G.1X", 4).settings;
        let more = granted(&job, &Asked { workers: Some(7), ..Asked::default() }).unwrap();
        assert_eq!(more, Capacity { max_capacity: 7.0, workers: Some(("G.1X".into(), 7)) });
        let bigger = granted(&job, &Asked { worker_type: Some("G.025X"), ..Asked::default() }).unwrap();
        assert_eq!((bigger.max_capacity, bigger.allocated()), (1.0, 1));
    }

    #[test]
    fn dpus_and_workers_exclude_each_other() {
        let job = JobDefinition::new("etl").settings;
        let both = Asked { max: Some(4.0), worker_type: Some("G.1X"), workers: Some(2), ..Asked::default() };
        assert!(granted(&job, &both).unwrap_err().message.contains("do not set Max Capacity"));
        let half = Asked { worker_type: Some("G.1X"), ..Asked::default() };
        assert!(granted(&job, &half).unwrap_err().message.contains("set both"));
        assert!(granted(&job, &Asked { max: Some(1.0), ..Asked::default() }).is_err());
    }

    #[test]
    fn defaults_are_those_of_the_command() {
        let shell = JobDefinition::new("shell").command("pythonshell").settings;
        let granted_to_shell = granted(&shell, &Asked::default()).unwrap();
        assert_eq!((granted_to_shell.max_capacity, granted_to_shell.allocated()), (0.0625, 0));
        let spark = JobDefinition::new("etl").settings;
        assert_eq!(granted(&spark, &Asked::default()).unwrap().allocated(), 10);
    }
}
