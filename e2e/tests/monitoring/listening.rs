//! Where a Prometheus or an Alertmanager listens that was started on a free port: it says so in its log.

use std::{
    io::{BufRead, BufReader},
    process::Child,
};

/// Its address. Where it ends instead, all that it said. Its standard error must be piped.
pub(crate) fn address(child: &mut Child) -> Result<String, String> {
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let mut said = String::new();
    let found = lines.find_map(|line| {
        said = format!("{said}{line}\n");
        line.split_once("\"Listening on\"")?.1.split_once("address=").map(|(_, address)| address.to_owned())
    });
    let Some(address) = found else {
        let _ = child.wait();
        return Err(said);
    };
    std::thread::spawn(move || lines.for_each(drop)); // or it would wait for a reader
    Ok(address)
}
