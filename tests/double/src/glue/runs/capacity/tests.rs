use super::*;
use crate::glue::jobs::JobDefinition;

#[test]
fn a_run_can_override_the_worker_type_or_the_number_alone() {
    let job = JobDefinition::new("etl").workers("G.1X", 4).settings;
    let more = granted(&job, &CapacityRequest { workers: Some(7), ..CapacityRequest::default() }).unwrap();
    assert_eq!(more, Capacity { max_capacity: 7.0, workers: Some(("G.1X".into(), 7)) });
    let bigger = granted(&job, &CapacityRequest { worker_type: Some("G.025X"), ..CapacityRequest::default() }).unwrap();
    assert_eq!((bigger.max_capacity, bigger.allocated()), (1.0, 1));
}

#[test]
fn dpus_and_workers_cannot_be_combined() {
    let job = JobDefinition::new("etl").settings;
    let both =
        CapacityRequest { max: Some(4.0), worker_type: Some("G.1X"), workers: Some(2), ..CapacityRequest::default() };
    assert!(granted(&job, &both).unwrap_err().message.contains("do not set Max Capacity"));
    let half = CapacityRequest { worker_type: Some("G.1X"), ..CapacityRequest::default() };
    assert!(granted(&job, &half).unwrap_err().message.contains("set both"));
    assert!(granted(&job, &CapacityRequest { max: Some(1.0), ..CapacityRequest::default() }).is_err());
}

#[test]
fn the_default_capacity_depends_on_the_command() {
    let shell = JobDefinition::new("shell").command("pythonshell").settings;
    let granted_to_shell = granted(&shell, &CapacityRequest::default()).unwrap();
    assert_eq!((granted_to_shell.max_capacity, granted_to_shell.allocated()), (0.0625, 0));
    let spark = JobDefinition::new("etl").settings;
    assert_eq!(granted(&spark, &CapacityRequest::default()).unwrap().allocated(), 10);
}
