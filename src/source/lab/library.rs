//! The scenarios that the program brings with it.

use super::scenario::{Scenario, ScenarioError};

/// File name and text of each.
const FILES: &[(&str, &str)] = &[
    ("broken-pipe.toml", include_str!("scenarios/broken-pipe.toml")),
    ("broken-pipe/killed.toml", include_str!("scenarios/broken-pipe/killed.toml")),
    ("broken-pipe/blocked.toml", include_str!("scenarios/broken-pipe/blocked.toml")),
    ("broken-pipe/asked.toml", include_str!("scenarios/broken-pipe/asked.toml")),
    ("broken-pipe/so-error.toml", include_str!("scenarios/broken-pipe/so-error.toml")),
    ("broken-pipe/fin-acked-by-data.toml", include_str!("scenarios/broken-pipe/fin-acked-by-data.toml")),
    ("broken-pipe/far.toml", include_str!("scenarios/broken-pipe/far.toml")),
    ("broken-pipe/far/server.toml", include_str!("scenarios/broken-pipe/far/server.toml")),
    ("ping-pang.toml", include_str!("scenarios/ping-pang.toml")),
    ("ping-pang/hasty.toml", include_str!("scenarios/ping-pang/hasty.toml")),
    ("write-after-shutdown.toml", include_str!("scenarios/write-after-shutdown.toml")),
    ("write-after-shutdown/never-connected.toml", include_str!("scenarios/write-after-shutdown/never-connected.toml")),
    ("big-send.toml", include_str!("scenarios/big-send.toml")),
    ("big-send/blocked.toml", include_str!("scenarios/big-send/blocked.toml")),
    ("last-word/differ.toml", include_str!("scenarios/last-word/differ.toml")),
    ("last-word/agree.toml", include_str!("scenarios/last-word/agree.toml")),
    ("last-word/close.toml", include_str!("scenarios/last-word/close.toml")),
    ("last-word/split.toml", include_str!("scenarios/last-word/split.toml")),
    ("last-word/select.toml", include_str!("scenarios/last-word/select.toml")),
    ("last-word/receipt.toml", include_str!("scenarios/last-word/receipt.toml")),
    ("last-word/wrong-length.toml", include_str!("scenarios/last-word/wrong-length.toml")),
    ("last-word/five.toml", include_str!("scenarios/last-word/five.toml")),
    ("last-word/deadlock.toml", include_str!("scenarios/last-word/deadlock.toml")),
    ("reset-unread.toml", include_str!("scenarios/reset-unread.toml")),
    ("reset-unread/blocked.toml", include_str!("scenarios/reset-unread/blocked.toml")),
    ("reset-peeked.toml", include_str!("scenarios/reset-peeked.toml")),
    ("reset-peeked/end-unread.toml", include_str!("scenarios/reset-peeked/end-unread.toml")),
    ("linger-zero.toml", include_str!("scenarios/linger-zero.toml")),
    ("linger-zero-after-fin.toml", include_str!("scenarios/linger-zero-after-fin.toml")),
    ("killed-unread.toml", include_str!("scenarios/killed-unread.toml")),
    ("killed-unread/read.toml", include_str!("scenarios/killed-unread/read.toml")),
    ("listener-closed.toml", include_str!("scenarios/listener-closed.toml")),
    ("reset-before-accept.toml", include_str!("scenarios/reset-before-accept.toml")),
    ("stale-pool.toml", include_str!("scenarios/stale-pool.toml")),
    ("pipe-and-unix.toml", include_str!("scenarios/pipe-and-unix.toml")),
    ("killed-unread/terminated.toml", include_str!("scenarios/killed-unread/terminated.toml")),
    ("aborted-from-outside.toml", include_str!("scenarios/aborted-from-outside.toml")),
    ("bystander-reset.toml", include_str!("scenarios/bystander-reset.toml")),
    ("disconnect.toml", include_str!("scenarios/disconnect.toml")),
    ("shutdown-read.toml", include_str!("scenarios/shutdown-read.toml")),
    ("shutdown-both.toml", include_str!("scenarios/shutdown-both.toml")),
    ("reply-lost.toml", include_str!("scenarios/reply-lost.toml")),
    ("reply-lost/kept.toml", include_str!("scenarios/reply-lost/kept.toml")),
    ("tls-ticket.toml", include_str!("scenarios/tls-ticket.toml")),
    ("half-close.toml", include_str!("scenarios/half-close.toml")),
    ("shutdown-both/write-queue.toml", include_str!("scenarios/shutdown-both/write-queue.toml")),
    ("restart.toml", include_str!("scenarios/restart.toml")),
    ("restart/reuse.toml", include_str!("scenarios/restart/reuse.toml")),
    ("restart/client-first.toml", include_str!("scenarios/restart/client-first.toml")),
    ("refused.toml", include_str!("scenarios/refused.toml")),
    ("refused/asked.toml", include_str!("scenarios/refused/asked.toml")),
    ("queue-full.toml", include_str!("scenarios/queue-full.toml")),
    ("no-answer.toml", include_str!("scenarios/no-answer.toml")),
    ("no-answer/given-up.toml", include_str!("scenarios/no-answer/given-up.toml")),
    ("self-connect.toml", include_str!("scenarios/self-connect.toml")),
    ("peer-rebooted.toml", include_str!("scenarios/peer-rebooted.toml")),
    ("peer-silent/user-timeout.toml", include_str!("scenarios/peer-silent/user-timeout.toml")),
    ("peer-silent/keepalive.toml", include_str!("scenarios/peer-silent/keepalive.toml")),
    ("deaf-then-hears.toml", include_str!("scenarios/deaf-then-hears.toml")),
    ("lost-fin.toml", include_str!("scenarios/lost-fin.toml")),
    ("close-wait-leak.toml", include_str!("scenarios/close-wait-leak.toml")),
    ("fin-wait-2-leak.toml", include_str!("scenarios/fin-wait-2-leak.toml")),
    ("fin-wait-2-leak/linger2.toml", include_str!("scenarios/fin-wait-2-leak/linger2.toml")),
    ("copy-left-open.toml", include_str!("scenarios/copy-left-open.toml")),
    ("copy-left-open/inherited.toml", include_str!("scenarios/copy-left-open/inherited.toml")),
    ("copy-left-open/exec.toml", include_str!("scenarios/copy-left-open/exec.toml")),
    ("copy-left-open/close-on-exec.toml", include_str!("scenarios/copy-left-open/close-on-exec.toml")),
    ("client-closes-first.toml", include_str!("scenarios/client-closes-first.toml")),
    ("server-closes-first.toml", include_str!("scenarios/server-closes-first.toml")),
    ("drain-then-close.toml", include_str!("scenarios/drain-then-close.toml")),
    ("drain-then-close/linger.toml", include_str!("scenarios/drain-then-close/linger.toml")),
    ("both-close.toml", include_str!("scenarios/both-close.toml")),
    ("fin-overtakes.toml", include_str!("scenarios/fin-overtakes.toml")),
];

/// All scenarios, in the menu's order.
pub fn all() -> Result<Vec<Scenario>, ScenarioError> {
    let mut scenarios: Vec<Scenario> =
        FILES.iter().map(|(file, source)| Scenario::parse(file, source)).collect::<Result<_, _>>()?;
    scenarios.sort_by_key(|scenario| scenario.order);
    Ok(scenarios)
}

/// The scenario called `name`.
pub fn find(name: &str) -> Result<Option<Scenario>, ScenarioError> {
    Ok(all()?.into_iter().find(|scenario| scenario.name == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count_files(dir: &std::path::Path) -> usize {
        let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| if path.is_dir() { count_files(&path) } else { 1 }).sum()
    }

    #[test]
    fn no_file_is_forgotten() {
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/source/lab/scenarios");
        assert_eq!(FILES.len(), count_files(&dir));
    }

    #[test]
    fn no_two_have_the_same_place_in_the_menu() {
        let mut places: Vec<u32> = all().unwrap().iter().map(|scenario| scenario.order).collect();
        places.dedup();
        assert_eq!(places.len(), FILES.len());
    }

    #[test]
    fn every_scenario_asks_teaches_and_says_where_it_is_written() {
        let lacks = |scenario: &Scenario| {
            let Scenario { group, question, title, lesson, fix, .. } = scenario;
            let empty = [group, question, title, lesson, fix].iter().any(|text| text.trim().is_empty());
            empty || scenario.sources.is_empty() || scenario.verdicts.is_none()
        };
        let lacking: Vec<String> = all().unwrap().into_iter().filter(lacks).map(|scenario| scenario.name).collect();
        assert_eq!(lacking, [] as [&str; 0]);
    }

    #[test]
    fn every_scenario_can_be_read_and_is_found_by_its_name_which_is_its_files() {
        for ((file, _), scenario) in FILES.iter().zip(FILES.iter().map(|(file, source)| Scenario::parse(file, source)))
        {
            let scenario = scenario.unwrap();
            assert_eq!(format!("{}.toml", scenario.name), *file);
            assert_eq!(find(&scenario.name).unwrap(), Some(scenario));
        }
    }
}
