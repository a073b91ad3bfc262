//! Sets up what it takes to hold a program before its calls: a gate with its keeper, and who hears what is to be done.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::sync::mpsc::{Receiver, sync_channel};

use super::conductor::Conductor;
use super::gate;
use super::stop::Stop;
use super::tracer::Gated;
use crate::source::lab::message::Command;

/// How many commands may wait until they are heeded. Whoever gives more of them at a time waits.
const COMMANDS: usize = 16;

/// The two ends of a gate before `stops`: the tracer's, and the recorder's, which does what the lines of `told` say.
pub fn hold(stops: &[String], told: BufReader<File>) -> io::Result<(Gated, Conductor)> {
    let stops: Result<Vec<Stop>, String> = stops.iter().map(|stop| stop.parse()).collect();
    let stops = stops.map_err(io::Error::other)?;
    let (gate, keeper) = gate::gate()?;
    let commands = listen(told)?;
    Ok((Gated::new(stops, gate), Conductor::new(keeper, commands)))
}

/// Hears commands, a word each, in a thread of its own: it ends with the pipe, or with the process.
fn listen(told: BufReader<File>) -> io::Result<Receiver<Command>> {
    let (sender, commands) = sync_channel(COMMANDS);
    let hear = move || {
        for line in told.lines().map_while(Result::ok) {
            let Ok(command) = line.parse() else { continue };
            if sender.send(command).is_err() {
                return;
            }
        }
    };
    std::thread::Builder::new().name("commands".to_owned()).spawn(hear)?;
    Ok(commands)
}
