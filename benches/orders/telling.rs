//! What a benchmark tells whoever runs it: lines of its report, and how far it has come.

use std::io::{self, IsTerminal, Write};

/// A line for whoever waits, over the last one; nothing where nobody watches.
pub(crate) fn progress(text: &str) -> io::Result<()> {
    let mut out = io::stderr();
    if !out.is_terminal() {
        return Ok(());
    }
    write!(out, "\r{text:60}\r")?;
    out.flush()
}

/// A line of the report.
pub(crate) fn say(text: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{text}")
}
