//! Packs what the browser gets, so that the binary holds it: each file of `web/`, gzipped, with its type and a hash for the ETag.
//! `src/assets.rs` takes the list from here.

use std::{
    collections::hash_map::DefaultHasher,
    env, fs,
    hash::{Hash, Hasher},
    io::Write,
    path::{Path, PathBuf},
};

use flate2::{Compression, write::GzEncoder};

fn main() {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("web");
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it"));
    println!("cargo::rerun-if-changed=web");
    println!("cargo::rerun-if-changed=build.rs");
    let mut files = Vec::new();
    find(&root, &mut files);
    files.sort();
    let lines: Vec<_> = files.iter().enumerate().map(|(number, file)| packed(&root, file, number, &out)).collect();
    fs::write(out.join("assets.rs"), format!("[\n{}]\n", lines.concat())).expect("cargo's own folder can be written");
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("web/ is there") {
        let path = entry.expect("web/ can be read").path();
        if path.is_dir() { find(&path, files) } else { files.push(path) }
    }
}

/// The line of one file in the list.
fn packed(root: &Path, file: &Path, number: usize, out: &Path) -> String {
    let bytes = fs::read(file).expect("it is there");
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&bytes).expect("memory can be written");
    let to = out.join(format!("{number}.gz"));
    fs::write(&to, gzip.finish().expect("memory can be written")).expect("cargo's own folder can be written");
    let name = file.strip_prefix(root).expect("it is in web/").to_str().expect("its name is ASCII").replace('\\', "/");
    let content_type = match file.extension().and_then(|end| end.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    };
    let etag = format!("\"{:016x}\"", hasher.finish());
    format!(
        "    Asset {{ name: {name:?}, content_type: {content_type:?}, etag: {etag:?}, gzip: include_bytes!({:?}) }},\n",
        to.display().to_string()
    )
}
