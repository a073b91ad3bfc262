//! What of a transcript does not depend on times, ports and numbers of frames.

/// A story as its transcript has it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Told {
    pub connections: usize,
    /// Each segment but mere acknowledgements: direction, flags, numbers, and what caused it.
    pub segments: Vec<String>,
    /// Each call that failed, with its error, its signal and what caused it.
    pub errors: Vec<String>,
    pub accounts: Vec<String>,
    pub verdict: String,
    /// The calls of which something else was foretold.
    pub wrong: Vec<String>,
    /// Those of them whose cause is not proven.
    pub unproven: Vec<String>,
    /// What the kernel itself said otherwise than it was inferred. When it was asked is a matter of time, and is not compared.
    pub differing: Vec<String>,
}

impl Told {
    pub fn of(transcript: &str) -> Self {
        let mut told = Self::default();
        for line in transcript.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            if line.starts_with("# connection") {
                told.connections += 1;
            } else if line.starts_with("# account") {
                told.accounts.push(line.to_owned());
            } else if line.starts_with("# verdict") {
                line.clone_into(&mut told.verdict);
            } else if words.get(2) == Some(&">") {
                told.segment(line, &words);
            } else if words.get(1) == Some(&"kernel") {
                told.differing.extend(line.contains("differs:").then(|| line.to_owned()));
            } else if line.starts_with('+') {
                told.call(line, &words);
            }
        }
        told
    }

    fn segment(&mut self, line: &str, words: &[&str]) {
        // When a mere acknowledgement is sent is a matter of timers, and two CPUs may swap one with what follows.
        if words[4] == "." {
            return;
        }
        let note = line.split("; ").nth(1).unwrap_or_default();
        if note.contains(" likely") || note.contains(" unknown") {
            self.unproven.push(line.to_owned());
        }
        let numbers: Vec<&str> = words[5..].iter().copied().take_while(|word| *word != "win").collect();
        let cause = note.split(", proven").next().unwrap_or_default();
        let causes: Vec<&str> =
            cause.split_whitespace().filter(|word| !word.starts_with(|c: char| c.is_ascii_digit())).collect();
        self.segments.push(format!("{} {} {} | {}", words[1], words[4], numbers.join(" "), causes.join(" ")));
    }

    fn call(&mut self, line: &str, words: &[&str]) {
        if line.contains(", wrongly") {
            self.wrong.push(line.to_owned());
        }
        if let Some(at) = words.iter().position(|word| *word == "-1") {
            let signal = if line.contains(", SIG") { "with a signal" } else { "" };
            let name = words[2].split('(').next().unwrap_or_default();
            self.errors.push(format!("{name} {} {signal}", words[at + 1]));
        }
    }
}
