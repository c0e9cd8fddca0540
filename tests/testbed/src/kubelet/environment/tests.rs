use super::{Values, expand, with_address};

#[test]
fn variable_references_are_expanded() {
    let variables = Values::from([("NAME".to_owned(), "x".to_owned())]);
    assert_eq!(expand("a-$(NAME)-$(OTHER)", &variables), "a-x-$(OTHER)");
    assert_eq!(expand("$$(NAME) costs 1$", &variables), "$(NAME) costs 1$");
    assert_eq!(expand("$(NAME", &variables), "$(NAME");
}

#[test]
fn the_http_address_is_replaced_in_both_forms() {
    let args = ["run", "--http-address", "0.0.0.0:8080", "--log=info"].map(str::to_owned).to_vec();
    assert_eq!(with_address(args, "127.0.0.1:9")[2], "127.0.0.1:9");
    let args = vec!["--http-address=:8080".to_owned(), "--http-address-x".to_owned()];
    assert_eq!(with_address(args, "h:1"), ["--http-address=h:1", "--http-address-x"]);
}
