use super::{at_least, linker_flags};
use crate::assets::PROGRAMS;

#[test]
fn go_versions_are_compared_by_number() {
    assert!(at_least("go1.26.8", "1.26.0"));
    assert!(at_least("go1.27", "1.26.3"));
    assert!(at_least("go1.26", "1.26.0"));
    assert!(!at_least("go1.9.7", "1.26.0"));
    assert!(at_least("go1.26.1-X:nodwarf5", "1.26.0"));
}

#[test]
fn the_linker_flags_of_the_api_server_have_its_version() {
    let flags = linker_flags(&PROGRAMS[1]);
    assert!(flags.contains("version.gitVersion=v1.") && !flags.contains("MINOR"), "{flags}");
}
