#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cosell_fuzz_targets::unsubscribe_form(data));
