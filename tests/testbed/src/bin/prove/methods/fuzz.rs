//! Fuzzing: the properties of the library about what comes from outside, with more inputs than in its tests.

use kube_glue_testbed::Proof;

use super::Context;
use crate::{child, error::ProveError};

/// The inputs of each property.
const FULL: u64 = 400;
const QUICK: u64 = 20;
/// What is in the names of the tests.
const TESTS: [&str; 2] = ["hostile", "::any_"];

pub(crate) async fn run(context: &Context) -> Result<Vec<Proof>, ProveError> {
    let inputs = context.amount(FULL, QUICK).to_string();
    let args = [&["test", "--package", "kube-glue", "--lib", "--"], TESTS.as_slice()].concat();
    let ended = child::run(&args, &[("PROPTEST_CASES", &inputs)]).await?;
    let (passed, failed) = results(&ended.output);
    if passed + failed == 0 || (failed == 0 && !ended.status.success()) {
        return Err(ended.without_result());
    }
    let failures = ended.output.lines().filter(|line| line.contains("panicked at") || line.contains("minimal failing"));
    let proof = Proof::new(passed + failed, "properties", failed).detail(format!("{inputs} inputs each"));
    Ok(vec![failures.fold(proof, Proof::remark)])
}

/// The tests that passed and failed, by the last lines of libtest.
fn results(output: &str) -> (usize, usize) {
    let count = |line: &str, what: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        let found = words.windows(2).find(|pair| pair[1] == what);
        found.and_then(|pair| pair[0].parse::<usize>().ok()).unwrap_or_default()
    };
    let lines = output.lines().filter(|line| line.starts_with("test result: "));
    lines.fold((0, 0), |(passed, failed), line| (passed + count(line, "passed;"), failed + count(line, "failed;")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_results_of_all_programs_are_added() {
        let output = "running 2 tests\ntest result: ok. 2 passed; 0 failed; 0 ignored; finished in 1s\n\
                      test result: FAILED. 3 passed; 1 failed; 0 ignored; finished in 1s\n";
        assert_eq!(results(output), (5, 1));
        assert_eq!(results("error: could not compile"), (0, 0));
    }
}
