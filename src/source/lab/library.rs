//! The scenarios that the program brings with it.

use super::scenario::{Scenario, ScenarioError};

/// File name and text of each.
const FILES: &[(&str, &str)] = &[
    ("broken-pipe.toml", include_str!("scenarios/broken-pipe.toml")),
    ("broken-pipe/killed.toml", include_str!("scenarios/broken-pipe/killed.toml")),
    ("broken-pipe/blocked.toml", include_str!("scenarios/broken-pipe/blocked.toml")),
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
