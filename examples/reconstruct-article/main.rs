//! Builds the capture that an article on broken pipes prints as nine lines of tcpdump's text: `reconstruct-article FILE`.

use std::fs::File;
use std::io::BufWriter;
use std::process::ExitCode;

mod article;

fn main() -> ExitCode {
    let Some(path) = std::env::args_os().nth(1) else {
        eprintln!("usage: reconstruct-article FILE.pcapng");
        return ExitCode::from(2);
    };
    let written = File::create(&path)
        .map_err(|error| error.to_string())
        .and_then(|file| article::write(&mut BufWriter::new(file)));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot write {}: {error}", path.display());
            ExitCode::FAILURE
        }
    }
}
