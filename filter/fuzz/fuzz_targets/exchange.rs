#![no_main]

#[path = "../checks/exchange.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|data: &[u8]| check::exchange(data));
