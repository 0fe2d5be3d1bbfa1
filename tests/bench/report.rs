//! Prints figures and reads the memory use of processes.

use std::time::Duration;

use anyhow::Context as _;

/// Prints one line of the report.
#[expect(clippy::print_stdout, reason = "the program's output")]
pub fn print_line(line: &str) {
    println!("{line}");
}

/// Prints percentiles of durations in milliseconds.
pub fn print_durations(rows: &mut [(&str, Vec<Duration>)]) {
    let count = rows.first().map_or(0, |(_, times)| times.len());
    print_line(&format!(
        "{:<52}{:>8}{:>8}{:>8}  (ms, n = {count})",
        "", "p50", "p99", "max"
    ));
    for (name, times) in rows {
        times.sort_unstable();
        let percentile = |share: usize| {
            let index = (times.len() * share / 100).min(times.len().saturating_sub(1));
            times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
        };
        print_line(&format!(
            "{name:<52}{:>8.1}{:>8.1}{:>8.1}",
            percentile(50),
            percentile(99),
            percentile(100)
        ));
    }
}

/// Prints responses per second.
pub fn print_rates(rows: &[(&str, f64)]) {
    for (name, rate) in rows {
        print_line(&format!("{name:<52}{rate:>8.0}  per second"));
    }
}

/// The peak resident memory of a process in MiB; of this process if `process` is `None`.
pub fn peak_memory(process: Option<u32>) -> anyhow::Result<u64> {
    let process = process.map_or_else(|| "self".to_owned(), |id| id.to_string());
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    Ok(kibibytes.context("VmHWM")?.trim().parse::<u64>()? / 1024)
}
