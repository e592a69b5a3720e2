//! What the kernel keeps account of for a process.

use std::time::Duration;

/// CPU time that all threads of a process have used, those that ended included: the kernel's own clock of the process,
/// to the nanosecond and whoever else runs on the machine.
pub fn cpu(pid: u32) -> Duration {
    let pid = libc::pid_t::try_from(pid).expect("a process id");
    let mut clock = 0;
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: both calls write into the locals given, and nothing else.
    let failed =
        unsafe { libc::clock_getcpuclockid(pid, &mut clock) != 0 || libc::clock_gettime(clock, &mut time) != 0 };
    assert!(!failed, "process {pid} is gone");
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Resident memory in megabytes (10^6 bytes) that belongs to the process alone or is not backed by a file: what it takes
/// away from others. Pages of the executable come and go with the page cache and are left out.
pub fn memory_mb(pid: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a running process");
    let line = text.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("RssAnon in /proc/PID/status");
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse().expect("a number of kB");
    kib * 1024.0 / 1e6
}
