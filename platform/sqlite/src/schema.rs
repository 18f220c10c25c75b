//! Compares the tables and indexes of a file with those of a new one.

use std::collections::BTreeMap;

use rusqlite::Connection;

/// What is missing, or differs from what the migrations make. Additions of others are no difference, except for triggers,
/// which change what is stored.
pub(super) fn differences(connection: &Connection, migrations: &[&str]) -> rusqlite::Result<Vec<String>> {
    let new = Connection::open_in_memory()?;
    migrations.iter().try_for_each(|script| new.execute_batch(script))?;
    let (right, mut found) = (objects(&new)?, objects(connection)?);
    let mut differences = Vec::new();
    for ((kind, name), sql) in right {
        match found.remove(&(kind.clone(), name.clone())) {
            None => differences.push(format!("the {kind} {name} is missing")),
            Some(other) if other != sql => differences.push(format!("the {kind} {name} is not as it was made")),
            Some(_) => {}
        }
    }
    let foreign = found.into_keys().filter(|(kind, _)| kind == "trigger");
    differences.extend(foreign.map(|(_, name)| format!("it has a trigger {name}, which nobody made for it")));
    Ok(differences)
}

/// What was made with `CREATE`: kind and name, and the statement.
type Objects = BTreeMap<(String, String), String>;

fn objects(connection: &Connection) -> rusqlite::Result<Objects> {
    let sql =
        "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    connection.prepare(sql)?.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))?.collect()
}
