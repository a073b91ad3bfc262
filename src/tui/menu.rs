//! The first screen's data: scenarios grouped by what the user saw.

/// All that can be played.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Menu {
    /// What stands at the top right: whose loopback, with which rights.
    pub machine: String,
    /// The groups, each with at least one scenario.
    pub groups: Vec<Group>,
}

/// What was seen, and the scenarios that end so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// What was seen: `Broken pipe`.
    pub title: String,
    /// One line more about it.
    pub line: String,
    /// The scenarios, in the order in which they are met in life.
    pub entries: Vec<Entry>,
}

/// One scenario.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Its name, by which it is played. A variant's has its scenario's name before a slash.
    pub name: String,
    /// What happens in it, in a few words: `close, then two sends`.
    pub title: String,
    /// The question that it answers.
    pub question: String,
    /// Both ends' calls in one line.
    pub summary: String,
    /// The texts that programs print where this happened to them, by which it is found.
    pub errors: Vec<String>,
    /// Its place among those to start with: `1`; else empty.
    pub mark: String,
    /// What is to be learnt from it, a sentence a line.
    pub lesson: Vec<String>,
    /// What is usually done about it.
    pub fix: String,
    /// Where that is written.
    pub sources: Vec<String>,
}

impl Menu {
    /// The menu of those `groups` that have something to play.
    pub fn new(machine: impl Into<String>, groups: Vec<Group>) -> Self {
        let groups = groups.into_iter().filter(|group| !group.entries.is_empty()).collect();
        Self { machine: machine.into(), groups }
    }

    /// The entry called `name`.
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.groups.iter().flat_map(|group| &group.entries).find(|entry| entry.name == name)
    }

    /// The variant after the one called `name`, in a circle; `None` where it has no other.
    pub fn variant_after(&self, name: &str) -> Option<&Entry> {
        let group = self.groups.iter().find(|group| group.entries.iter().any(|entry| entry.name == name))?;
        let variants: Vec<&Entry> = group.entries.iter().filter(|entry| entry.scenario() == scenario(name)).collect();
        let here = variants.iter().position(|entry| entry.name == name)?;
        let next = variants[(here + 1) % variants.len()];
        (next.name != name).then_some(next)
    }

    /// The entries in whose name, question, title or errors every word of `text` stands, whatever its case. Where none has
    /// them all, those with the most of them.
    pub fn search(&self, text: &str) -> Vec<&Entry> {
        let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
        let scored = self.groups.iter().flat_map(|group| &group.entries).map(|entry| (entry.score(&words), entry));
        let scored: Vec<(usize, &Entry)> = scored.collect();
        let best = scored.iter().map(|(score, _)| *score).max().unwrap_or(0);
        if best == 0 && !words.is_empty() {
            return Vec::new();
        }
        scored.into_iter().filter(|(score, _)| *score == best).map(|(_, entry)| entry).collect()
    }
}

impl Entry {
    /// The scenario of which this is a variant, or its own name.
    pub fn scenario(&self) -> &str {
        scenario(&self.name)
    }

    fn score(&self, words: &[String]) -> usize {
        let text = format!("{} {} {} {}", self.name, self.title, self.question, self.errors.join(" ")).to_lowercase();
        words.iter().filter(|word| text.contains(word.as_str())).count()
    }
}

fn scenario(name: &str) -> &str {
    name.split_once('/').map_or(name, |(scenario, _)| scenario)
}

/// Where the menu's cursor is and what was searched for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MenuScreen {
    /// What there is.
    pub menu: Menu,
    /// The group under the cursor.
    pub group: usize,
    /// The entry under the cursor: among the group's, or among those found.
    pub entry: usize,
    /// What is searched for, while something is.
    pub search: Option<String>,
}

impl MenuScreen {
    /// The entries that are listed: the group's, or those found.
    pub fn listed(&self) -> Vec<&Entry> {
        match &self.search {
            Some(text) => self.menu.search(text),
            None => self.menu.groups.get(self.group).map(|group| group.entries.iter().collect()).unwrap_or_default(),
        }
    }

    /// The entry under the cursor.
    pub fn selected(&self) -> Option<&Entry> {
        self.listed().get(self.entry).copied()
    }

    /// One entry on; past a group's last one to the next group.
    pub fn down(&mut self) {
        if self.entry + 1 < self.listed().len() {
            self.entry += 1;
        } else if self.search.is_none() && self.group + 1 < self.menu.groups.len() {
            self.group += 1;
            self.entry = 0;
        }
    }

    /// One entry back; before a group's first one to the last of the group before.
    pub fn up(&mut self) {
        if self.entry > 0 {
            self.entry -= 1;
        } else if self.search.is_none() && self.group > 0 {
            self.group -= 1;
            self.entry = self.listed().len().saturating_sub(1);
        }
    }

    /// The next group, or the one before; both in a circle.
    pub fn turn(&mut self, forward: bool) {
        let groups = self.menu.groups.len();
        if groups > 0 && self.search.is_none() {
            self.group = (self.group + if forward { 1 } else { groups - 1 }) % groups;
            self.entry = 0;
        }
    }

    /// Searches for `text`, from the first that is found; `None` ends the search.
    pub fn look_for(&mut self, text: Option<String>) {
        self.search = text;
        self.entry = 0;
    }
}
