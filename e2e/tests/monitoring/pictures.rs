//! The pictures in `docs/pictures` show the dashboards as they are. Nobody can compare pixels here, so the hash of the file that was
//! drawn stands beside each picture. Those of the page are drawn by its own tests, in `e2e/tests/browser`.

use std::{collections::BTreeSet, fs, process::Command};

use e2e::dashboard::{all, workspace};

/// What a page with all of them can bear.
const LARGEST: u64 = 200_000;

#[test]
fn each_picture_is_of_the_dashboard_as_it_is() {
    for dashboard in all() {
        let name = dashboard.file.trim_end_matches(".json");
        let hash = workspace().join(format!("docs/pictures/{name}.sha256"));
        let mut check = Command::new("sha256sum");
        let output = check.current_dir(workspace()).args(["--check", "--strict"]).arg(&hash).output().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "draw it again with docs/pictures/draw.sh, and look at it:\n{printed}");
        let of = fs::read_to_string(&hash).unwrap();
        assert!(of.ends_with(&format!("  grafana/dashboards/{}\n", dashboard.file)), "{of}");
    }
}

#[test]
fn there_is_one_small_picture_of_each_dashboard_and_of_each_state_of_the_page_and_readme_shows_it() {
    let folder = workspace().join("docs/pictures");
    let page = fs::read_to_string(folder.join("README.md")).unwrap();
    let pictures: BTreeSet<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "png"))
        .collect();
    let dashboards = all().into_iter().map(|one| folder.join(one.file.replace(".json", ".png")));
    let right: BTreeSet<_> = dashboards.chain(drawn_by_tests().map(|name| folder.join(name))).collect();
    assert_eq!(pictures, right);
    for picture in pictures {
        let size = fs::metadata(&picture).unwrap().len();
        assert!(size <= LARGEST, "{}: {size} bytes", picture.display());
        let name = picture.file_name().unwrap().to_string_lossy().into_owned();
        assert!(page.contains(&format!("({name})")), "{name}");
    }
}

/// The names of the pictures that the tests of the page draw.
fn drawn_by_tests() -> impl Iterator<Item = String> {
    let tests = fs::read_dir(workspace().join("e2e/tests/browser")).unwrap();
    let sources = tests.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
    sources.flat_map(|source| {
        let calls = source.split("pictures::draw(&window, \"").skip(1);
        calls.map(|rest| format!("page-{}.png", rest.split('"').next().unwrap())).collect::<Vec<_>>()
    })
}
