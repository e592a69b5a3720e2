use super::*;

/// Off wasm every host call fails, which is the worst host there is.
#[test]
fn nothing_the_host_calls_panics() {
    for id in [0, 1, 2, u32::MAX] {
        for root in [0, 1, 7] {
            create(id, root);
            create(id, root);
            assert!(!configure(id, usize::MAX));
            for end in [false, true] {
                for side in [Side::Response, Side::Request] {
                    let _ = trailers(id, side);
                    let _ = body(id, side, usize::MAX, end);
                    let _ = headers(id, side, end);
                    let _ = headers(id, side, end);
                }
            }
            tick(id);
            call_response(id, 1, 1, usize::MAX);
            log(id);
            delete(id);
            delete(id);
            log(id);
        }
    }
    assert_eq!(with(|state| state.streams.len() + state.roots.len() + state.generations.len()), Some(0));
}

#[test]
fn a_stream_without_a_policy_is_refused() {
    create(1, 0);
    create(2, 1);
    assert_eq!(headers(2, Side::Request, true), Action::Pause);
    assert_eq!(headers(99, Side::Request, true), Action::Pause);
    // The refusal itself passes.
    assert_eq!(headers(2, Side::Response, true), Action::Continue);
    delete(2);
    delete(1);
}
