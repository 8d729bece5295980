//! `cargo xtask conformance-table`: writes conformance/README.md from what the tests say.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::process::{Command, Stdio};

use crate::tree;
use crate::wine::Wine;

/// Sections ("A. title") and below each its rules ("number | title | mark").
const RULES: &str = include_str!("../../conformance/rules.txt");

/// What `conformance::differs_on_wine` prints when Wine does not do what Windows does.
const DIFFERS: &str = "differs on Wine";

/// Runs the suite natively and under Wine and writes conformance/README.md
///
/// Fails, after writing, if a test failed, a rule has no test or a test has no rule.
#[derive(clap::Args)]
pub struct Args {
    /// Leave Wine out even if it is installed
    #[arg(long)]
    native_only: bool,
}

pub fn run(args: &Args) -> crate::Outcome {
    let sections = parse_rules(RULES)?;
    let native = Run::of("Native", tree::cargo().arg("test"))?;
    let wine = match (args.native_only, Wine::find()) {
        (true, _) => None,
        (false, Ok(wine)) => Some(Run::of(&wine.version(), &mut wine.cargo("test"))?),
        (false, Err(why)) => {
            eprintln!("xtask: {why}");
            None
        }
    };
    let readme = tree::root().join("conformance/README.md");
    fs::write(&readme, render(&sections, &native, wine.as_ref()))
        .map_err(|error| format!("{}: {error}", readme.display()))?;
    println!("wrote {}", readme.display());
    let runs: Vec<&Run> = [Some(&native), wine.as_ref()].into_iter().flatten().collect();
    match complaints(&sections, &runs) {
        none if none.is_empty() => Ok(()),
        some => Err(some.join("\n       ")),
    }
}

struct Section<'a> {
    /// With its letter in front.
    title: &'a str,
    rules: Vec<Rule<'a>>,
}

struct Rule<'a> {
    number: u16,
    title: &'a str,
    mark: &'a str,
}

fn parse_rules(text: &str) -> Result<Vec<Section<'_>>, String> {
    let mut sections: Vec<Section> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let mut fields = line.split(" | ");
        match (fields.next(), fields.next(), fields.next(), sections.last_mut()) {
            (Some(title), None, None, _) => sections.push(Section { title, rules: Vec::new() }),
            (Some(number), Some(title), mark, Some(section)) => {
                let number = number.parse().map_err(|_| format!("rules.txt: no rule: {line}"))?;
                section.rules.push(Rule { number, title, mark: mark.unwrap_or_default() });
            }
            _ => return Err(format!("rules.txt: neither section nor rule: {line}")),
        }
    }
    Ok(sections)
}

#[derive(Clone, Copy, PartialEq)]
enum Verdict {
    Passed,
    /// Passed because Wine was expected to differ from Windows, and did.
    Differs,
    Failed,
}

/// One run of the suite.
struct Run {
    ground: String,
    /// Every test by its name.
    tests: BTreeMap<String, Verdict>,
    /// Whether every test program ran to its end and cargo was content.
    succeeded: bool,
}

impl Run {
    fn of(ground: &str, cargo_test: &mut Command) -> Result<Run, String> {
        let output = cargo_test
            .args(["--package", "conformance", "--tests", "--no-fail-fast"])
            .args(["--", "--show-output"])
            .stderr(Stdio::inherit())
            .output()
            .map_err(|error| format!("cannot start cargo: {error}"))?;
        let tests = parse_tests(&String::from_utf8_lossy(&output.stdout));
        Ok(Run { ground: ground.into(), tests, succeeded: output.status.success() })
    }

    fn of_rule(&self, number: u16) -> Vec<(&str, Verdict)> {
        let tests = self.tests.iter().filter(|(name, _)| rule_number(name) == Some(number));
        tests.map(|(name, &verdict)| (name.as_str(), verdict)).collect()
    }

    fn cell(&self, number: u16) -> String {
        let tests = self.of_rule(number);
        let count = |wanted| tests.iter().filter(|(_, verdict)| *verdict == wanted).count();
        match (count(Verdict::Passed), count(Verdict::Differs), count(Verdict::Failed)) {
            (0, 0, 0) => "no test".into(),
            (1, 0, 0) => "pass".into(),
            (passed, 0, 0) => format!("pass ({passed})"),
            (0, _, 0) => "differs".into(),
            (passed, differs, 0) => format!("pass ({passed}), differs ({differs})"),
            (_, _, failed) => format!("**FAIL** ({failed} of {})", tests.len()),
        }
    }
}

/// Reads libtest's output as `--show-output` makes it: verdicts, then each test's own output.
fn parse_tests(output: &str) -> BTreeMap<String, Verdict> {
    let mut tests = BTreeMap::new();
    let mut speaking = None;
    for line in output.lines() {
        if let Some((name, verdict)) = verdict(line) {
            tests.insert(name.to_owned(), verdict);
        } else if let Some(name) = line.strip_prefix("---- ") {
            speaking = name.strip_suffix(" stdout ----");
        } else if line.contains(DIFFERS)
            && let Some(verdict) = speaking.and_then(|name| tests.get_mut(name))
            && *verdict == Verdict::Passed
        {
            *verdict = Verdict::Differs;
        }
    }
    tests
}

fn verdict(line: &str) -> Option<(&str, Verdict)> {
    let (name, verdict) = line.strip_prefix("test ")?.split_once(" ... ")?;
    match verdict {
        "ok" => Some((name, Verdict::Passed)),
        "FAILED" => Some((name, Verdict::Failed)),
        _ => None,
    }
}

/// 21 for `r021_immediate_success_still_queues_a_packet`, in whatever module.
fn rule_number(test: &str) -> Option<u16> {
    let name = test.rsplit("::").next()?;
    name.strip_prefix('r')?.get(..3)?.parse().ok()
}

fn render(sections: &[Section], native: &Run, wine: Option<&Run>) -> String {
    let mut text = String::from(INTRODUCTION);
    let ground = wine.map_or("Wine", |run| run.ground.as_str());
    for section in sections {
        let _ = write!(
            text,
            "\n## {}\n\n| rule | what Windows does | native | {ground} | marks |\n\
             |---:|---|---|---|---|\n",
            section.title
        );
        for Rule { number, title, mark } in &section.rules {
            let native = native.cell(*number);
            let wine = wine.map_or_else(|| "not run".into(), |run| run.cell(*number));
            let _ = writeln!(text, "| {number} | {title} | {native} | {wine} | {mark} |");
        }
    }
    text
}

const INTRODUCTION: &str = "\
# Conformance

Written by `cargo xtask conformance-table`; do not edit. `cargo test -p conformance` runs the suite
natively, `cargo xtask wine` against Wine's Winsock. A test's name starts with the number of its
rule (`cargo test -p conformance r021`); a rule with several tests has their number in brackets.

- *native*: this project's implementation on Linux.
- *Wine*: the same tests against the Winsock that Wine provides. *differs* means that Wine is known
  not to do here what Windows does, and did not; the test raises an alarm when that ends.
- *wine-todo*: Wine's own test suite says that Windows does this and Wine does not.
- *page differs*: Microsoft's page says something else than what is observed on Windows; the
  observation counts.
";

fn complaints(sections: &[Section], runs: &[&Run]) -> Vec<String> {
    let numbers: Vec<u16> =
        sections.iter().flat_map(|section| &section.rules).map(|rule| rule.number).collect();
    let mut complaints = Vec::new();
    for run in runs {
        let ground = &run.ground;
        for (name, verdict) in &run.tests {
            if *verdict == Verdict::Failed {
                complaints.push(format!("{ground}: {name} failed"));
            }
            if rule_number(name).is_some_and(|number| !numbers.contains(&number)) {
                complaints.push(format!("{ground}: {name} names a rule that rules.txt lacks"));
            }
        }
        let untested = numbers.iter().filter(|&&number| run.of_rule(number).is_empty());
        complaints.extend(untested.map(|number| format!("{ground}: rule {number} has no test")));
        if !run.succeeded && complaints.is_empty() {
            complaints.push(format!("{ground}: a test program did not build or ended early"));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_rules_parse_and_each_number_is_there_once() {
        let sections = parse_rules(RULES).unwrap();
        let mut seen = BTreeSet::new();
        for Section { title, rules } in &sections {
            assert!(rules.is_sorted_by_key(|rule| rule.number), "{title}");
            for Rule { number, .. } in rules {
                assert!(seen.insert(*number), "rule {number} is there twice");
            }
        }
    }

    #[test]
    fn a_line_that_is_neither_section_nor_rule_is_named() {
        assert_eq!(
            parse_rules("A. First\nx | title").err().unwrap(),
            "rules.txt: no rule: x | title"
        );
        assert!(parse_rules("1 | a rule without a section").is_err());
    }

    #[test]
    fn verdicts_come_from_libtest_and_differences_from_what_the_tests_say() {
        let tests = parse_tests(
            "running 4 tests\n\
             test r021_a ... ok\n\
             test module::r022_b ... FAILED\n\
             test r023_c ... ok\n\
             test r024_d ... ignored\n\
             successes:\n\
             ---- r021_a stdout ----\n\
             nothing special\n\
             ---- r023_c stdout ----\n\
             \x20 | differs on Wine, as known\n",
        );
        let verdict = |name: &str| tests.get(name).copied();
        assert_eq!(tests.len(), 3);
        assert!(verdict("r021_a") == Some(Verdict::Passed));
        assert!(verdict("module::r022_b") == Some(Verdict::Failed));
        assert!(verdict("r023_c") == Some(Verdict::Differs));
        assert_eq!(rule_number("module::r022_b"), Some(22));
        assert_eq!(rule_number("recv_probe"), None);
    }

    #[test]
    fn a_rule_without_a_test_and_a_test_without_a_rule_are_complaints() {
        let sections = parse_rules("A. First\n1 | one\n2 | two | wine-todo").unwrap();
        let tests = parse_tests("test r001_x ... ok\ntest r009_y ... ok\n");
        let run = Run { ground: "Native".into(), tests, succeeded: true };
        assert_eq!(
            complaints(&sections, &[&run]),
            ["Native: r009_y names a rule that rules.txt lacks", "Native: rule 2 has no test"]
        );
        assert!(
            render(&sections, &run, None)
                .ends_with("| 2 | two | no test | not run | wine-todo |\n")
        );
    }
}
