//! The calls of one poll. An error of one item does not end the poll; an error that concerns all items does.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use futures::future::BoxFuture;

use crate::glue::{Error, ErrorKind};

/// How many refusals in a row end a poll: then they are hardly about single items.
const MOST_REFUSALS: u32 = 20;
/// How many refusals a call without a clear answer counts for: each of them may take as long as the timeout.
const UNCLEAR: u32 = 7;
/// How often one poll divides batches to find the item that Glue refuses.
const MOST_DIVISIONS: u32 = 16;

/// What the calls of a poll have come to.
#[derive(Debug, Default)]
pub struct Calls {
    made: usize,
    /// What counts towards [`MOST_REFUSALS`].
    failures: u32,
    /// The error that ended the poll.
    ended_by: Option<Arc<Error>>,
    divisions: u32,
}

impl Calls {
    /// How many calls were made.
    #[must_use]
    pub fn made(&self) -> usize {
        self.made
    }

    /// Makes one call, unless an earlier error ended the poll; then the answer is that error.
    pub fn make<'a, T: Send + 'a>(
        &'a mut self,
        call: impl Future<Output = Result<T, Error>> + Send + 'a,
    ) -> BoxFuture<'a, Result<T, Arc<Error>>> {
        // A call is large, and a poll makes many.
        let call: BoxFuture<'a, _> = Box::pin(call);
        Box::pin(self.make_boxed(call))
    }

    async fn make_boxed<T: Send>(&mut self, call: BoxFuture<'_, Result<T, Error>>) -> Result<T, Arc<Error>> {
        if let Some(error) = &self.ended_by {
            return Err(Arc::clone(error));
        }
        self.made += 1;
        let error = match call.await {
            Ok(answer) => {
                self.failures = 0;
                return Ok(answer);
            }
            Err(error) => Arc::new(error),
        };
        self.failures += match error.kind {
            ErrorKind::NotFound => 0,
            ErrorKind::Throttled | ErrorKind::ExpiredCredentials => MOST_REFUSALS,
            ErrorKind::Ambiguous | ErrorKind::Transient => UNCLEAR,
            _ => 1,
        };
        if self.failures >= MOST_REFUSALS {
            self.ended_by = Some(Arc::clone(&error));
        }
        Err(error)
    }

    /// Reads items by name in batches of up to `size`, and returns what there is of each. A batch that Glue refuses is
    /// divided until the name that it refuses is alone. Each name comes with whether Glue refused it before: such names
    /// share no batch with the others.
    pub async fn in_batches<T: Send, F>(
        &mut self,
        names: impl IntoIterator<Item = (String, bool)>,
        size: usize,
        read: impl Fn(Vec<String>) -> F,
    ) -> HashMap<String, Result<Option<T>, Arc<Error>>>
    where
        F: Future<Output = Result<Vec<(String, T)>, Error>> + Send,
    {
        let (refused, others) = names.into_iter().partition::<Vec<_>, _>(|(_, refused)| *refused);
        let names_of = |batch: &[(String, bool)]| batch.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        let mut batches: Vec<_> = others.chunks(size).chain(refused.chunks(size)).map(names_of).collect();
        // The last is read first.
        batches.reverse();
        let mut answers = HashMap::new();
        while let Some(mut batch) = batches.pop() {
            match self.make(read(batch.clone())).await {
                Ok(found) => {
                    let mut found: HashMap<_, _> = found.into_iter().collect();
                    answers.extend(batch.into_iter().map(|name| {
                        let item = found.remove(&name);
                        (name, Ok(item))
                    }));
                }
                Err(error) if batch.len() > 1 && may_be_about_one(&error) && self.divisions < MOST_DIVISIONS => {
                    self.divisions += 1;
                    let rest = batch.split_off(batch.len() / 2);
                    batches.extend([rest, batch]);
                }
                Err(error) => answers.extend(batch.into_iter().map(|name| (name, Err(Arc::clone(&error))))),
            }
        }
        answers
    }
}

/// Whether Glue may have refused a batch because of one of its items.
fn may_be_about_one(error: &Error) -> bool {
    matches!(error.kind, ErrorKind::NotFound | ErrorKind::Denied | ErrorKind::Invalid)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    fn error(kind: ErrorKind) -> Error {
        let (code, message) = (format!("{kind:?}"), String::new());
        Error { operation: "BatchGetTriggers", object: "triggers".to_owned(), kind, code, message }
    }

    /// Reads `count` names of which `refused` are refused. The answers, and the sizes of the batches.
    async fn read(
        count: usize,
        refused: &[usize],
        kind: ErrorKind,
    ) -> (Vec<Result<Option<usize>, ErrorKind>>, Vec<usize>) {
        let sizes = Mutex::new(Vec::new());
        let names: Vec<_> = (0..count).map(|name| name.to_string()).collect();
        let mut calls = Calls::default();
        let answers =
            calls.in_batches(names.iter().map(|name| (name.clone(), false)), 100, async |batch: Vec<String>| {
                sizes.lock().unwrap().push(batch.len());
                let batch: Vec<usize> = batch.iter().map(|name| name.parse().unwrap()).collect();
                if batch.iter().any(|name| refused.contains(name)) {
                    return Err(error(kind));
                }
                Ok(batch.into_iter().map(|name| (name.to_string(), name)).collect())
            });
        let mut answers = answers.await;
        let in_order = names.iter().map(|name| answers.remove(name).unwrap().map_err(|error| error.kind));
        (in_order.collect(), sizes.into_inner().unwrap())
    }

    #[tokio::test]
    async fn a_name_that_glue_refuses_hides_no_other() {
        let (answers, sizes) = read(100, &[37], ErrorKind::Denied).await;
        for (name, answer) in answers.iter().enumerate() {
            assert_eq!(*answer, if name == 37 { Err(ErrorKind::Denied) } else { Ok(Some(name)) });
        }
        assert!(sizes.len() <= 15, "{sizes:?}");
        let all: Vec<_> = (0..250).collect();
        let (answers, sizes) = read(250, &all, ErrorKind::Denied).await;
        assert!(answers.iter().all(Result::is_err) && sizes.len() <= 40, "{sizes:?}");
        let (answers, sizes) = read(250, &all, ErrorKind::Throttled).await;
        assert!(answers.iter().all(Result::is_err) && sizes.len() == 1, "{sizes:?}");
    }

    #[tokio::test]
    async fn errors_of_items_do_not_end_a_poll_and_those_of_all_do() {
        for (kind, most) in
            [(ErrorKind::NotFound, 100), (ErrorKind::Denied, 20), (ErrorKind::Ambiguous, 3), (ErrorKind::Throttled, 1)]
        {
            let mut calls = Calls::default();
            for _ in 0..100 {
                assert_eq!(calls.make(async { Err::<(), _>(error(kind)) }).await.unwrap_err().kind, kind);
            }
            assert_eq!(calls.made(), most, "{kind:?}");
            let mut mixed = Calls::default();
            for _ in 0..50 {
                let _ = mixed.make(async { Err::<(), _>(error(kind)) }).await;
                let _ = mixed.make(async { Ok(()) }).await;
            }
            assert_eq!(mixed.made(), if kind == ErrorKind::Throttled { 1 } else { 100 });
        }
    }
}
