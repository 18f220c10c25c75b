//! A page that is damaged, and met only when it is read: text once with the file's name, and others are read on.

use std::fs;

use testing::{
    logs,
    notes::{file, new_database, open, store},
};

#[tokio::test]
async fn a_damaged_page_is_one_log_line_however_often_it_is_met() {
    logs::capture();
    let (folder, database) = new_database();
    store(&database, "kept").await.unwrap();
    let page = |c: &rusqlite::Connection| {
        let root = "SELECT rootpage FROM sqlite_schema WHERE name = 'notes'";
        let root: usize = c.query_row(root, [], |row| row.get(0))?;
        Ok((root - 1, c.pragma_query_value(None, "page_size", |row| row.get::<_, usize>(0))?))
    };
    let (number, size) = database.read(page).await.unwrap();
    drop(database);
    let mut bytes = fs::read(file(folder.path())).unwrap();
    bytes[number * size..][..size].fill(0x5a);
    fs::write(file(folder.path()), bytes).unwrap();

    let database = open(folder.path()).unwrap();
    let path = file(folder.path()).display().to_string();
    for _ in 0..5 {
        let count = database.read(|c| c.query_row("SELECT count(*) FROM notes", [], |row| row.get::<_, i64>(0)));
        let text = count.await.unwrap_err().to_string();
        assert!(text.contains(&path), "whoever starts on it must know which file it is: {text}");
        let others = database.read(|c| c.query_row("SELECT count(*) FROM outbox", [], |row| row.get::<_, i64>(0)));
        assert_eq!(others.await.unwrap(), 0, "the other pages are read on");
    }
    let lines = logs::lines_with(&path);
    assert!(lines.len() == 1 && lines[0].contains("ERROR"), "{lines:#?}");
}
