use super::*;

#[test]
fn a_token_holds_for_its_list_only() {
    let token = token("GetJobRuns etl", "17");
    assert_eq!(position("GetJobRuns etl", &token).unwrap(), "17");
    assert_eq!(position("GetJobRuns other", &token).unwrap_err().code, "InvalidInputException");
    assert!(position("GetJobRuns etl", "nonsense").is_err());
    assert!(position("GetJobRuns etl", "").is_err());
}

#[test]
fn pages_by_name_neither_repeat_nor_skip() {
    let names = ["a", "b", "c", "d", "e"];
    let items = || names.iter().map(|name| (*name, *name));
    let (first, token) = by_name("l", items(), None, 2).unwrap();
    let (second, token) = by_name("l", items(), token.as_deref(), 2).unwrap();
    let (third, end) = by_name("l", items(), token.as_deref(), 2).unwrap();
    assert_eq!([first, second, third].concat(), names);
    assert_eq!(end, None);
}
