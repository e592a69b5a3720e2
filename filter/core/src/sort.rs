//! Sorting in little code.
//!
//! The standard library's sorts are 5 to 12 KB of WebAssembly for every type and order that is sorted: a tenth of the
//! module. This merge sort is a twentieth of that. It is stable, and linear on what is sorted already, as findings
//! mostly are. Where the last microsecond counts (keys of large JSON objects), use the standard library's.

/// Items that are brought in order by insertion, before runs of them are merged.
const RUN: usize = 16;

/// Sorts small plain values.
pub(crate) fn plain<T: Copy>(items: &mut Vec<T>, less: impl Fn(&T, &T) -> bool) {
    if items.len() < 2 {
        return;
    }
    for run in items.chunks_mut(RUN) {
        insert(run, &less);
    }
    let mut merged = Vec::new();
    let mut width = RUN;
    while width < items.len() {
        merged.clear();
        merged.reserve_exact(items.len());
        for pair in items.chunks(width.saturating_mul(2)) {
            let (left, right) = pair.split_at_checked(width).unwrap_or((pair, &[]));
            merge(left, right, &less, &mut merged);
        }
        std::mem::swap(items, &mut merged);
        width = width.saturating_mul(2);
    }
}

/// Sorts anything, in code that all types share: for what is sorted seldom, or is mostly sorted already.
pub(crate) fn cold<T>(items: &mut Vec<T>, less: impl Fn(&T, &T) -> bool) {
    let order = order(items.len(), &|a, b| match (items.get(a), items.get(b)) {
        (Some(a), Some(b)) => less(a, b),
        _ => false,
    });
    let mut from: Vec<Option<T>> = items.drain(..).map(Some).collect();
    items.extend(order.into_iter().filter_map(|index| from.get_mut(index).and_then(Option::take)));
}

/// The indices from 0 to `len`, in order.
#[inline(never)]
fn order(len: usize, less: &dyn Fn(usize, usize) -> bool) -> Vec<usize> {
    let mut order = (0..len).collect();
    plain(&mut order, |a, b| less(*a, *b));
    order
}

fn insert<T>(run: &mut [T], less: &impl Fn(&T, &T) -> bool) {
    for sorted in 1..run.len() {
        for at in (1..=sorted).rev() {
            match run.get(at - 1..=at) {
                Some([before, this]) if less(this, before) => run.swap(at - 1, at),
                _ => break,
            }
        }
    }
}

fn merge<T: Copy>(mut left: &[T], mut right: &[T], less: &impl Fn(&T, &T) -> bool, merged: &mut Vec<T>) {
    let sorted = !matches!((left.last(), right.first()), (Some(l), Some(r)) if less(r, l));
    while !sorted && let ([l, after_l @ ..], [r, after_r @ ..]) = (left, right) {
        if less(r, l) {
            merged.push(*r);
            right = after_r;
        } else {
            merged.push(*l);
            left = after_l;
        }
    }
    merged.extend_from_slice(left);
    merged.extend_from_slice(right);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn sorts_as_the_standard_library_does(keys in proptest::collection::vec(0_u8..50, 0..300)) {
            let mut items: Vec<(u8, usize)> = keys.into_iter().zip(0..).collect();
            let (mut by_us, mut expected) = (items.clone(), items.clone());
            expected.sort_by_key(|(key, _)| *key);
            plain(&mut by_us, |a, b| a.0 < b.0);
            cold(&mut items, |a, b| a.0 < b.0);
            prop_assert_eq!(&by_us, &expected);
            prop_assert_eq!(&items, &expected);
        }

        #[test]
        fn an_order_that_is_none_loses_nothing(items in proptest::collection::vec(0_u8..50, 0..300), seed: u8) {
            let nonsense = |a: &u8, b: &u8| (a ^ b).wrapping_mul(seed) > 127;
            let (mut plainly, mut coldly, mut expected) = (items.clone(), items.clone(), items);
            plain(&mut plainly, nonsense);
            cold(&mut coldly, nonsense);
            for sorted in [&mut plainly, &mut coldly, &mut expected] {
                sorted.sort_unstable();
            }
            prop_assert_eq!(&plainly, &expected);
            prop_assert_eq!(&coldly, &expected);
        }
    }
}
