use super::*;

#[test]
fn a_token_is_valid_for_its_list_only() {
    let token = token("GetJobRuns etl", "17");
    assert_eq!(position("GetJobRuns etl", &token).unwrap(), "17");
    assert_eq!(position("GetJobRuns other", &token).unwrap_err().code, "InvalidInputException");
    assert!(position("GetJobRuns etl", "nonsense").is_err());
    assert!(position("GetJobRuns etl", "").is_err());
}

#[test]
fn pages_by_name_neither_repeat_nor_skip_items() {
    let names = ["a", "b", "c", "d", "e"];
    let page = |next_token: Option<String>| {
        let paging = Paging { next_token, max_results: Some(2), tags: None };
        let Page { items, next_token } = paging.by_name("l", names.iter().map(|name| (*name, *name)), 100).unwrap();
        (items, next_token)
    };
    let (first, token) = page(None);
    let (second, token) = page(token);
    let (third, end) = page(token);
    assert_eq!([first, second, third].concat(), names);
    assert_eq!(end, None);
}
