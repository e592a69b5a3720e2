//! What shells and `man` know of the command line, generated from what it takes.

use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::Outcome;
use crate::args::Arguments;

/// Print completions for a shell.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  doorward completions bash > /etc/bash_completion.d/doorward
  doorward completions zsh > \"${fpath[1]}/_doorward\"
  doorward completions fish > ~/.config/fish/completions/doorward.fish")]
pub struct CompletionsArguments {
    /// The shell.
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Print the manual page, or write one for each command.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  doorward man | man -l -
  doorward man --dir /usr/local/share/man/man1")]
pub struct ManArguments {
    /// Write `doorward.1` and a page for each command into this folder.
    #[arg(long, value_name = "FOLDER")]
    pub dir: Option<PathBuf>,
}

/// Prints completions.
///
/// # Errors
/// Standard output is gone.
pub fn completions(arguments: &CompletionsArguments) -> anyhow::Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "doorward", &mut script);
    io::stdout().write_all(&script)?;
    Ok(Outcome::Clean)
}

/// Prints or writes manual pages.
///
/// # Errors
/// They cannot be written.
pub fn man(arguments: &ManArguments) -> anyhow::Result<Outcome> {
    match &arguments.dir {
        Some(folder) => clap_mangen::generate_to(Arguments::command(), folder)
            .with_context(|| format!("cannot write manual pages into `{}`", folder.display()))?,
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Arguments::command()).render(&mut page)?;
            io::stdout().write_all(&page)?;
        }
    }
    Ok(Outcome::Clean)
}
