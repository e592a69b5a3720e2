//! The Envoy process.
//!
//! Envoy asks the kernel to be told when the *thread* that started it ends, and stops then. Test
//! threads end long before the test process, so every Envoy is started by one thread that lives as
//! long as the process: Envoy then neither stops early nor stays behind, however the tests end.

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;

/// A child process that is stopped when this is dropped or the process ends.
pub(super) struct Process {
    child: Mutex<Child>,
    /// Where its standard output and error go.
    pub(super) log: PathBuf,
}

impl Process {
    /// Starts `command` with its output in `log`.
    pub(super) fn start(mut command: Command, log: &Path) -> io::Result<Self> {
        let file = File::create(log)?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        // SAFETY: prctl is async-signal-safe and touches no memory of ours.
        unsafe {
            command.pre_exec(|| match libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) {
                0 => Ok(()),
                _ => Err(io::Error::last_os_error()),
            });
        }
        let (answer, child) = channel();
        starter().send(Box::new(move || drop(answer.send(command.spawn())))).expect("the starter thread runs");
        let child = child.recv().expect("the starter thread answers")?;
        Ok(Self { child: Mutex::new(child), log: log.to_owned() })
    }

    pub(super) fn id(&self) -> u32 {
        self.child.lock().unwrap_or_else(PoisonError::into_inner).id()
    }

    /// How it ended, if it did.
    pub(super) fn ended(&self) -> Option<String> {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        child.try_wait().expect("wait for a child").map(|status| status.to_string())
    }

    /// The last lines of its log.
    pub(super) fn log_tail(&self) -> String {
        let log = std::fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        child.kill().ok();
        child.wait().ok();
    }
}

type Job = Box<dyn FnOnce() + Send>;

fn starter() -> Sender<Job> {
    static STARTER: OnceLock<Sender<Job>> = OnceLock::new();
    let start = || {
        let (jobs, queue) = channel::<Job>();
        let run = move || queue.into_iter().for_each(|job| job());
        thread::Builder::new().name("starter".to_owned()).spawn(run).expect("a thread");
        jobs
    };
    STARTER.get_or_init(start).clone()
}
