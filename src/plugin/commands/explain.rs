//! Says what the reasons of conditions and Events mean.

use crate::controllers::runtime::reason::Reason;
use crate::plugin::error::PluginError;
use crate::plugin::exit::Exit;
use crate::plugin::output;

/// Explains one reason, or lists all.
pub(in crate::plugin) fn execute(word: Option<&str>) -> Result<Exit, PluginError> {
    let Some(word) = word else {
        for reason in Reason::ALL {
            output::line(reason.as_str())?;
        }
        return Ok(Exit::Succeeded);
    };
    let same = |reason: &&Reason| reason.as_str().eq_ignore_ascii_case(word);
    let Some(reason) = Reason::ALL.iter().find(same) else {
        let message = format!("there is no reason `{word}`: `kubectl glue explain` lists them all");
        return Err(PluginError::Usage(message));
    };
    output::line(text(*reason))?;
    Ok(Exit::Succeeded)
}

/// What a reason means, and the remedy.
fn text(reason: Reason) -> String {
    let remedy = if reason.remedy().is_empty() { "Nothing has to be done." } else { reason.remedy() };
    format!("{}\n  {}\n\nRemedy\n  {remedy}", reason.as_str(), reason.meaning()).replace('`', "'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_explained() {
        for reason in Reason::ALL {
            let text = text(*reason);
            assert!(text.starts_with(reason.as_str()) && text.contains("Remedy\n  "), "{text}");
        }
        assert_eq!(execute(Some("nonsense")).unwrap_err().exit(), Exit::Usage);
    }
}
