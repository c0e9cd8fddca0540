//! One measured figure, its baseline, its goal, and the verdict.

use serde_json::{Value, json};

/// The unit of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Something for each second.
    PerSecond,
    /// Calls for each minute.
    PerMinute,
    /// Mebibytes.
    Mebibytes,
    /// Percent of one core.
    Percent,
    /// Objects, calls, writes or connections, without a unit.
    Count,
}

impl Unit {
    fn suffix(self) -> &'static str {
        match self {
            Self::Seconds => " s",
            Self::Milliseconds => " ms",
            Self::PerSecond => "/s",
            Self::PerMinute => "/min",
            Self::Mebibytes => " MiB",
            Self::Percent => " %",
            Self::Count => "",
        }
    }

    /// The figure with its unit.
    pub(crate) fn show(self, value: f64) -> String {
        let digits = match value.abs() {
            _ if value.fract() == 0.0 => 0,
            100.0.. => 0,
            10.0.. => 1,
            1.0.. => 2,
            _ => 3,
        };
        format!("{value:.digits$}{}", self.suffix())
    }
}

/// A bound.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Goal {
    bound: Bound,
    /// Whether it says something only at the full number of objects.
    full_size: bool,
}

/// What a figure is compared with: another one of the same run.
#[derive(Debug, Clone, PartialEq)]
struct Baseline {
    what: &'static str,
    value: f64,
}

/// Whether a goal is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is met.
    Met,
    /// It is not met.
    NotMet,
    /// The goal is for more objects than were measured.
    NotApplicable,
    /// There is no goal.
    None,
    /// The figure could not be measured.
    Failed,
}

impl Verdict {
    /// For people and in JSON.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::NotMet => "not met",
            Self::NotApplicable => "n.a.",
            Self::None => "",
            Self::Failed => "failed",
        }
    }
}

/// One measured figure.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    scenario: &'static str,
    measure: String,
    /// None when it could not be measured.
    value: Option<f64>,
    unit: Unit,
    baseline: Option<Baseline>,
    goal: Option<Goal>,
    is_full_size: bool,
    note: Option<String>,
}

impl Row {
    /// A figure without a goal. `is_full_size` says whether the scenario had its full number of objects. A value that is
    /// not finite could not be measured.
    pub(crate) fn new(scenario: &'static str, is_full_size: bool, measure: String, value: f64, unit: Unit) -> Self {
        let value = Some(value).filter(|value| value.is_finite());
        Self { scenario, measure, value, unit, baseline: None, goal: None, is_full_size, note: None }
    }

    /// A scenario that could not be measured.
    pub(crate) fn failed(scenario: &'static str, why: String) -> Self {
        let measure = "could not be measured".to_owned();
        let (unit, baseline, goal) = (Unit::Count, None, None);
        Self { scenario, measure, value: None, unit, baseline, goal, is_full_size: false, note: Some(why) }
    }

    /// Compares it with another figure in the same unit. A goal is then for the ratio.
    pub(crate) fn against(self, what: &'static str, value: f64) -> Self {
        Self { baseline: Some(Baseline { what, value }), ..self }
    }

    /// Sets a goal for any number of objects.
    pub(crate) fn at_most(self, bound: f64) -> Self {
        Self { goal: Some(Goal { bound: Bound::AtMost(bound), full_size: false }), ..self }
    }

    /// Sets a goal for any number of objects.
    pub(crate) fn at_least(self, bound: f64) -> Self {
        Self { goal: Some(Goal { bound: Bound::AtLeast(bound), full_size: false }), ..self }
    }

    /// Restricts the goal to the full number of objects.
    pub(crate) fn at_full_size(self) -> Self {
        Self { goal: self.goal.map(|goal| Goal { full_size: true, ..goal }), ..self }
    }

    /// Removes the goal.
    pub(crate) fn without_goal(self) -> Self {
        Self { goal: None, ..self }
    }

    /// Adds a remark.
    pub(crate) fn note(self, note: impl Into<String>) -> Self {
        Self { note: Some(note.into()), ..self }
    }

    /// The figure in terms of its baseline.
    fn ratio(&self) -> Option<f64> {
        let baseline = self.baseline.as_ref().filter(|baseline| baseline.value > 0.0)?;
        Some(self.value? / baseline.value)
    }

    /// Whether the goal is met.
    pub(crate) fn verdict(&self) -> Verdict {
        let Some(value) = self.value else { return Verdict::Failed };
        let Some(goal) = self.goal else { return Verdict::None };
        let measured = match self.baseline {
            None => Some(value),
            Some(_) => self.ratio(),
        };
        match (measured, goal.bound) {
            (None, _) => Verdict::Failed,
            _ if goal.full_size && !self.is_full_size => Verdict::NotApplicable,
            (Some(measured), Bound::AtMost(most)) if measured <= most => Verdict::Met,
            (Some(measured), Bound::AtLeast(least)) if measured >= least => Verdict::Met,
            _ => Verdict::NotMet,
        }
    }

    /// The cells of the table: scenario, measure, value, baseline, ratio, goal, verdict.
    pub(crate) fn cells(&self) -> [String; 7] {
        let baseline = self.baseline.as_ref();
        let goal = self.goal.map(|goal| {
            let (sign, bound) = match goal.bound {
                Bound::AtMost(bound) => ("<=", bound),
                Bound::AtLeast(bound) => (">=", bound),
            };
            match baseline {
                Some(_) => format!("{sign} {bound} x"),
                None => format!("{sign} {}", self.unit.show(bound)),
            }
        });
        [
            self.scenario.to_owned(),
            self.measure.clone(),
            self.value.map(|value| self.unit.show(value)).unwrap_or_default(),
            baseline
                .map(|baseline| format!("{} {}", baseline.what, self.unit.show(baseline.value)))
                .unwrap_or_default(),
            self.ratio().map(|ratio| format!("{ratio:.2} x")).unwrap_or_default(),
            goal.unwrap_or_default(),
            self.verdict().name().to_owned(),
        ]
    }

    /// What to add to the table's row: the scenario and the remark.
    pub(crate) fn remark(&self) -> Option<String> {
        self.note.as_ref().map(|note| format!("{}, {}: {note}", self.scenario, self.measure))
    }

    /// The same in JSON.
    pub(crate) fn to_json(&self) -> Value {
        let goal = self.goal.map(|goal| {
            let (name, bound) = match goal.bound {
                Bound::AtMost(bound) => ("atMost", bound),
                Bound::AtLeast(bound) => ("atLeast", bound),
            };
            json!({ name: bound, "of": if self.baseline.is_some() { "ratio" } else { "value" } })
        });
        json!({
            "scenario": self.scenario,
            "measure": self.measure,
            "value": self.value,
            "unit": self.unit.suffix().trim(),
            "baseline": self.baseline.as_ref().map(|one| json!({ "what": one.what, "value": one.value })),
            "ratio": self.ratio(),
            "goal": goal,
            "verdict": self.verdict().name(),
            "note": self.note,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(value: f64) -> Row {
        Row::new("burst", false, "starts".to_owned(), value, Unit::PerSecond)
    }

    #[test]
    fn the_goal_is_for_the_ratio_where_there_is_a_baseline() {
        let starts = row(60.0).at_least(0.6);
        assert_eq!(starts.clone().against("raw", 80.0).verdict(), Verdict::Met);
        assert_eq!(starts.clone().against("raw", 120.0).verdict(), Verdict::NotMet);
        assert_eq!(starts.clone().against("raw", 0.0).verdict(), Verdict::Failed);
        assert_eq!(starts.verdict(), Verdict::Met);
        assert_eq!(row(60.0).at_most(59.9).verdict(), Verdict::NotMet);
        assert_eq!(row(60.0).verdict(), Verdict::None);
    }

    #[test]
    fn a_goal_for_the_full_size_is_not_judged_below_it() {
        let starts = row(1.0).at_least(43.0).at_full_size();
        assert_eq!(starts.verdict(), Verdict::NotApplicable);
        assert_eq!(Row { is_full_size: true, ..starts }.verdict(), Verdict::NotMet);
    }

    #[test]
    fn the_table_shows_units_and_the_ratio() {
        let starts = row(60.04).against("raw", 120.0).at_least(0.6);
        let cells = ["burst", "starts", "60.0/s", "raw 120/s", "0.50 x", ">= 0.6 x", "not met"];
        assert_eq!(starts.cells(), cells);
        assert_eq!(Row::failed("burst", "no time".to_owned()).cells()[6], "failed");
    }
}
