//! How figures are printed, and what the system says about a process.

use std::time::Duration;

use anyhow::Context as _;

/// Prints a line of a report.
#[expect(clippy::print_stdout, reason = "the program's answer")]
pub fn say(line: &str) {
    println!("{line}");
}

/// Prints how long things took, in milliseconds.
pub fn times(rows: &mut [(&str, Vec<Duration>)]) {
    let count = rows.first().map_or(0, |(_, times)| times.len());
    say(&format!(
        "{:<52}{:>8}{:>8}{:>8}  (ms, {count} times)",
        "", "p50", "p99", "max"
    ));
    for (what, times) in rows {
        times.sort_unstable();
        let at = |share: usize| {
            let index = (times.len() * share / 100).min(times.len().saturating_sub(1));
            times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
        };
        say(&format!(
            "{what:<52}{:>8.1}{:>8.1}{:>8.1}",
            at(50),
            at(99),
            at(100)
        ));
    }
}

/// Prints how many of each were answered in a second.
pub fn rates(rows: &[(&str, f64)]) {
    for (what, rate) in rows {
        say(&format!("{what:<52}{rate:>8.0}  a second"));
    }
}

/// The most memory that a process has held so far, in MiB; without an id, this one.
pub fn peak_memory(process: Option<u32>) -> anyhow::Result<u64> {
    let process = process.map_or_else(|| "self".to_owned(), |id| id.to_string());
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    Ok(kibibytes.context("VmHWM")?.trim().parse::<u64>()? / 1024)
}
