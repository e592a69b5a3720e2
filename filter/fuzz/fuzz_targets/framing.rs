#![no_main]

#[path = "../checks/framing.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|data: &[u8]| check::framing(data));
