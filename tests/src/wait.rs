//! Bounded waits. Nothing in the tests may wait without an end, and nothing sleeps where an event
//! can be awaited.

use std::future::{Future, poll_fn};
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

/// Longest wait for anything that a working system does in milliseconds.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How many times as long everything may take: under an emulator, nothing is done in milliseconds.
static TIMES: AtomicU32 = AtomicU32::new(1);

/// Waits so many times as long from now on, in the whole process.
pub fn be_patient(times: u32) {
    TIMES.store(times, Ordering::Relaxed);
}

fn patience() -> Duration {
    PATIENCE * TIMES.load(Ordering::Relaxed)
}

/// Awaits `future` for at most [`PATIENCE`]; panics naming `what` afterwards.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    let patience = patience();
    match tokio::time::timeout(patience, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited {patience:?} in vain: {what}"),
    }
}

/// Asks `probe` until it has an answer, for at most [`PATIENCE`]; for what cannot notify (files,
/// Envoy's admin interface). Panics with `what` and the last thing `probe` had to say.
pub async fn until<T, F, Fut>(what: &str, mut probe: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, String>>,
{
    let patience = patience();
    let deadline = Instant::now() + patience;
    let mut pause = Duration::from_millis(1);
    loop {
        match probe().await {
            Ok(value) => return value,
            Err(last) if Instant::now() > deadline => panic!("waited {patience:?} in vain: {what}; last: {last}"),
            Err(_) => tokio::time::sleep(pause).await,
        }
        pause = (pause * 2).min(Duration::from_millis(16));
    }
}

/// Runs futures side by side and returns their results in order.
pub async fn all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut results: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    poll_fn(|cx| {
        for (future, result) in futures.iter_mut().zip(&mut results) {
            if result.is_none()
                && let Poll::Ready(value) = future.as_mut().poll(cx)
            {
                *result = Some(value);
            }
        }
        if results.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    results.into_iter().flatten().collect()
}
