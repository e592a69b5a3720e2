//! Every example does what it says, on the real Envoy and its shipped configuration.

use std::process::ExitCode;

use doorward_e2e::demo::example::Example;
use doorward_e2e::demo::{Demo, QUICKSTART, tour};
use doorward_e2e::tools;

#[tokio::test]
async fn examples_do_what_they_say() {
    let folder = tools::root().join("examples");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder).expect("examples/").map(|e| e.expect("an entry").path()) {
        // What several Envoys share runs in tests/mesh, which fails where it finds none.
        if !entry.is_dir() || Example::shares(&entry) {
            continue;
        }
        let example = Example::load(&entry).unwrap_or_else(|e| panic!("{e}"));
        let about = folder.join("README.md");
        let readme = std::fs::read_to_string(&about).expect("examples/README.md");
        assert!(
            readme.contains(&format!("`{}`", example.name)),
            "{} says nothing of {}",
            about.display(),
            example.name
        );
        let demo = Demo::start(false, &example).await;
        // What it printed is shown where it failed.
        assert_eq!(tour::run(&demo, &example).await, ExitCode::SUCCESS, "{}", example.name);
        names.push(example.name);
    }
    assert!(names.contains(&QUICKSTART.to_owned()) && names.len() >= 5, "{names:?}");
}
