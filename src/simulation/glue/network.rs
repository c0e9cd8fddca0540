//! What becomes of a call on its way to Glue and back.

use crate::simulation::time::{Ms, Random, SECOND};

/// The longest time of a call, as `--aws-timeout`.
pub const AWS_TIMEOUT: Ms = 20 * SECOND;

/// The way of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// After how long Glue gets it; `None` when it never does.
    pub arrives: Option<Ms>,
    /// After how long the caller knows.
    pub answered: Ms,
    /// What the caller receives.
    pub response: Response,
}

/// What the caller receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response {
    /// Glue's answer.
    Received,
    /// No answer, or a 500: the call may have had an effect.
    Lost,
    /// The connection was refused: it had none.
    NotSent,
}

/// The way of the next call, which is lost with probability `faults`.
pub fn way(random: &mut Random, faults: f64) -> Way {
    let latency = random.between(20, 400);
    let undisturbed = Way { arrives: Some(latency / 2), answered: latency, response: Response::Received };
    if !random.chance(faults) {
        return undisturbed;
    }
    match random.between(0, 5) {
        0 => Way { arrives: None, answered: latency, response: Response::NotSent },
        1 => Way { arrives: None, answered: AWS_TIMEOUT, response: Response::Lost },
        2 => Way { arrives: None, answered: latency, response: Response::Lost },
        3 => Way { arrives: Some(latency / 2), answered: latency, response: Response::Lost },
        // Glue may work on what the caller has given up.
        4 => Way { arrives: Some(random.between(latency, AWS_TIMEOUT)), answered: latency, response: Response::Lost },
        _ => Way { arrives: Some(latency / 2), answered: AWS_TIMEOUT, response: Response::Lost },
    }
}
