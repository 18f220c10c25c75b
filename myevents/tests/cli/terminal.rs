//! `myevents load` on a terminal: the bar moves, Ctrl-C ends it with the table. Where there is no terminal nothing is drawn, so
//! every other test passes that code by.

use std::{
    fs::{File, OpenOptions},
    io::Read,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use rustix::{
    process::{Pid, Signal, kill_process},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
};

use crate::helpers::{DEADLINE, MyEvents, eventually, new_folder};

/// A terminal, and what was written to it so far.
struct Terminal {
    path: String,
    shown: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    fn open() -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let path = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let shown = Arc::new(Mutex::new(Vec::new()));
        let (mut master, all) = (File::from(master), shown.clone());
        thread::spawn(move || {
            let mut piece = [0; 4096];
            // It ends with an error when nobody has the terminal open any more.
            while let Ok(read) = master.read(&mut piece) {
                all.lock().unwrap().extend_from_slice(&piece[..read]);
            }
        });
        Self { path, shown }
    }

    fn stdio(&self) -> Stdio {
        OpenOptions::new().read(true).write(true).open(&self.path).unwrap().into()
    }

    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap()).into_owned()
    }
}

fn load(run: &MyEvents, terminal: &Terminal, arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_myevents"));
    command.env_clear().args(["load", "--events", "2", "--capacity", "60"]).args(arguments).env("TERM", "xterm");
    command.args(["--events-url", &run.events(), "--bookings-url", &run.bookings()]);
    command.stdin(terminal.stdio()).stdout(terminal.stdio()).stderr(terminal.stdio()).spawn().unwrap()
}

#[tokio::test]
async fn the_bar_moves_and_ctrl_c_ends_it_with_the_table() {
    let (_place, folder) = new_folder();
    let run = MyEvents::start(&folder, &["--empty"]).await;
    for (arguments, moving) in [(&["--duration", "0"][..], "/s"), (&["--duration", "60", "--rate", "50"], "/s of 50/s")]
    {
        let terminal = Terminal::open();
        let mut load = load(&run, &terminal, arguments);
        eventually(DEADLINE, "a bar that moves", async || terminal.shown().contains(moving).then_some(())).await;
        kill_process(Pid::from_child(&load), Signal::INT).unwrap();
        let status = eventually(Duration::from_secs(5), "the end", async || load.try_wait().unwrap()).await;
        assert!(status.success(), "{}", terminal.shown());
        eventually(DEADLINE, "the table", async || terminal.shown().contains("Seats: ").then_some(())).await;
    }
}
