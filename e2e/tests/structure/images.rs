//! The images: what the Makefile builds and pushes, what the Dockerfile makes, and what its build gets to see.

use std::fs;

use e2e::{dashboard::workspace, sources::crates};

fn read(file: &str) -> String {
    fs::read_to_string(workspace().join(file)).unwrap()
}

#[test]
fn every_image_of_the_makefile_is_a_target_with_a_binary_of_its_own() {
    let (makefile, dockerfile) = (read("Makefile"), read("Dockerfile"));
    let images: Vec<_> = makefile.split_once("IMAGES = ").unwrap().1.lines().next().unwrap().split(' ').collect();
    for image in &images {
        for line in [
            format!("FROM runtime AS {image}\n"),
            format!(" -p {image}"),
            format!(" \"${{folder}}/{image}\""),
            format!("COPY --from=build /out/{image} /{image}\n"),
            format!("ENTRYPOINT [\"/{image}\"]\n"),
        ] {
            assert!(dockerfile.contains(&line), "{line:?} is missing in the Dockerfile");
        }
    }
    assert_eq!(dockerfile.matches("FROM runtime AS ").count(), images.len(), "{images:?}");
}

/// Cargo builds nothing while one crate of the workspace is missing.
#[test]
fn the_build_of_the_images_sees_every_crate() {
    let ignored = read(".dockerignore");
    let seen: Vec<_> = ignored.lines().filter_map(|line| line.strip_prefix('!')).collect();
    for folder in crates() {
        let path = folder.strip_prefix(workspace()).unwrap().join("Cargo.toml");
        assert!(seen.iter().any(|seen| path.starts_with(seen)), "{} is not in the context", path.display());
    }
}
