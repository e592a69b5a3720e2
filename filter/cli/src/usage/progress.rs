//! How far reading is, on a terminal.

use std::fs;
use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::input;

/// A bar on standard error, or nothing where that is no terminal.
pub struct Progress {
    bar: ProgressBar,
    read: Arc<AtomicU64>,
}

impl Progress {
    /// `read` counts bytes of `files` as they are on disk.
    pub fn of(files: &[String], read: &Arc<AtomicU64>) -> Self {
        let target =
            if std::io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        // Of a pipe nobody knows how long it is.
        let sizes =
            files.iter().map(|file| if file == input::STDIN { None } else { Some(fs::metadata(file).ok()?.len()) });
        let bar = match sizes.sum::<Option<u64>>() {
            Some(all) => {
                let style = "{bar:30} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta} {wide_msg}";
                bar(Some(all), style)
            }
            None => bar(None, "{spinner} {binary_bytes} {binary_bytes_per_sec} {wide_msg}"),
        };
        bar.set_draw_target(target);
        Self { bar, read: Arc::clone(read) }
    }

    /// A file is begun.
    pub fn reading(&self, file: &str) {
        self.bar.set_message(file.chars().filter(|c| !c.is_control()).collect::<String>());
    }

    /// More was read.
    pub fn tick(&self) {
        self.bar.set_position(self.read.load(Ordering::Relaxed));
    }

    /// Says something without drawing over it.
    pub fn aside(&self, say: impl FnOnce()) {
        self.bar.suspend(say);
    }

    /// The bar goes.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}

fn bar(all: Option<u64>, template: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(all, ProgressDrawTarget::hidden());
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
