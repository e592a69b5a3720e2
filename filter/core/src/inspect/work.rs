//! Counts the steps of the matchers, in tests only: that they stay linear on hostile text is shown by
//! counting, not by a clock.

#[cfg(test)]
thread_local! {
    static STEPS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Counts `steps` more; nothing outside tests.
#[inline]
pub(super) fn add(steps: usize) {
    #[cfg(test)]
    STEPS.with(|s| s.set(s.get() + steps));
    #[cfg(not(test))]
    let _ = steps;
}

/// The steps counted on this thread since the last call.
#[cfg(test)]
pub(super) fn take() -> usize {
    STEPS.with(|s| s.replace(0))
}
