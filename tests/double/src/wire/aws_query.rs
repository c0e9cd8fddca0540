//! The protocol AWS Query of STS: the request is a form, the answer is XML.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Response, StatusCode, header};

use super::{HttpAnswer, random_uuid};
use crate::error::AwsError;

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// The form of a request.
#[derive(Clone, Debug, Default)]
pub struct Form(BTreeMap<String, String>);

impl Form {
    /// Parses a body of `application/x-www-form-urlencoded`.
    #[must_use]
    pub fn parse(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    /// The value of a field.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The values of a list: `Name.member.1`, `Name.member.2`, ...
    #[must_use]
    pub fn list(&self, name: &str) -> Vec<&str> {
        (1..).map_while(|n| self.get(&format!("{name}.member.{n}"))).collect()
    }

    /// The pairs of a list: `Name.member.1.Key`, `Name.member.1.Value`, ...
    #[must_use]
    pub fn pairs(&self, name: &str) -> Vec<(String, String)> {
        (1..)
            .map_while(|n| {
                let key = self.get(&format!("{name}.member.{n}.Key"))?;
                let value = self.get(&format!("{name}.member.{n}.Value")).unwrap_or_default();
                Some((key.to_owned(), value.to_owned()))
            })
            .collect()
    }
}

/// An XML element with text or with child elements.
#[derive(Clone, Debug)]
pub enum Xml {
    /// `<name>text</name>`
    Text(&'static str, String),
    /// `<name>...</name>`
    Node(&'static str, Vec<Xml>),
}

impl Xml {
    fn write(&self, out: &mut String) {
        let name = match self {
            Self::Text(name, _) | Self::Node(name, _) => name,
        };
        out.extend(["<", name, ">"]);
        match self {
            Self::Text(_, text) => escape(text, out),
            Self::Node(_, below) => write_all(below, out),
        }
        out.extend(["</", name, ">"]);
    }
}

fn write_all(elements: &[Xml], out: &mut String) {
    for element in elements {
        element.write(out);
    }
}

/// Writes a text so that it can stand in an element.
pub fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
}

/// An answer with HTTP status 200 and the result of an action.
#[must_use]
pub fn answer(action: &str, result: &[Xml]) -> HttpAnswer {
    let id = random_uuid();
    let mut body = String::new();
    write_all(result, &mut body);
    let out = format!(
        "<{action}Response xmlns=\"{NAMESPACE}\"><{action}Result>{body}</{action}Result><ResponseMetadata>\
         <RequestId>{id}</RequestId></ResponseMetadata></{action}Response>"
    );
    build(StatusCode::OK, out, &id)
}

/// An error as STS writes it.
#[must_use]
pub fn error(error: &AwsError) -> HttpAnswer {
    let id = random_uuid();
    let kind = if error.status < 500 { "Sender" } else { "Receiver" };
    let mut message = String::new();
    escape(&error.message, &mut message);
    let out = format!(
        "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>{kind}</Type><Code>{}</Code><Message>{message}</Message>\
         </Error><RequestId>{id}</RequestId></ErrorResponse>",
        error.code
    );
    build(StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), out, &id)
}

fn build(status: StatusCode, body: String, id: &str) -> HttpAnswer {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "text/xml")
        .header("x-amzn-RequestId", id)
        .body(Full::new(Bytes::from(body)))
        .unwrap_or_default()
}
