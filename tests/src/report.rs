//! Figures of benchmarks and drills: percentiles, and the memory use of processes.

use std::time::Duration;

use anyhow::Context as _;

/// The unit of processor times in `/proc`, which Linux has fixed for all programs.
const TICKS_PER_SECOND: u64 = 100;

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
        let [median, high, highest] = [50, 99, 100].map(|share| to_ms(percentile(times, share)));
        print_line(&format!("{name:<52}{median:>8.1}{high:>8.1}{highest:>8.1}"));
    }
}

/// The duration in milliseconds.
pub fn to_ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Prints responses per second.
pub fn print_rates(rows: &[(&str, f64)]) {
    for (name, rate) in rows {
        print_line(&format!("{name:<52}{rate:>8.0}  per second"));
    }
}

/// The duration that this percentage of the durations does not exceed.
pub fn percentile(times: &mut [Duration], percentage: usize) -> Duration {
    times.sort_unstable();
    let index = (times.len() * percentage / 100).min(times.len().saturating_sub(1));
    times.get(index).copied().unwrap_or_default()
}

/// The resident memory of a process in MiB.
pub fn resident_memory(process: u32) -> anyhow::Result<u64> {
    read_status(&process.to_string(), "VmRSS:")
}

/// The peak resident memory of a process in MiB; of this process if `process` is `None`.
pub fn peak_memory(process: Option<u32>) -> anyhow::Result<u64> {
    let process = process.map_or_else(|| "self".to_owned(), |id| id.to_string());
    read_status(&process, "VmHWM:")
}

/// The processor time that a process has used.
pub fn processor_time(process: u32) -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name of the process, in parentheses, may contain blanks.
    let (_, fields) = stat.rsplit_once(')').context("stat")?;
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks = ticks.map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
}

fn read_status(process: &str, name: &'static str) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    Ok(kibibytes.context(name)?.trim().parse::<u64>()? / 1024)
}
