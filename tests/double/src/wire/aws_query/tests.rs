use super::*;

#[test]
fn a_form_has_lists_and_lists_of_pairs() {
    let form = Form::parse(
        b"Action=AssumeRole&Tags.member.1.Key=team&Tags.member.1.Value=a%20b&Tags.member.2.Key=x\
          &TransitiveTagKeys.member.1=team",
    );
    assert_eq!(form.pairs("Tags"), [("team".into(), "a b".into()), ("x".into(), String::new())]);
    assert_eq!(form.list("TransitiveTagKeys"), ["team"]);
}

#[test]
fn text_is_escaped() {
    let mut out = String::new();
    Xml::Node("A", vec![Xml::Text("B", "<&>".into())]).write(&mut out);
    assert_eq!(out, "<A><B>&lt;&amp;&gt;</B></A>");
}
