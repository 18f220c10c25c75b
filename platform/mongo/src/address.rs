//! `MONGO_URL`: read with all other options, checked before anything starts, and never printed with its password.

use mongodb::options::ConnectionString;
use process::{
    checks::{Checks, OptionText},
    secret::Secret,
};

/// A URL that the driver understands.
#[derive(Clone, Debug)]
pub struct MongoUrl(Secret);

impl MongoUrl {
    /// Reads it from `MONGO_URL` or the file that `MONGO_URL_FILE` names; `None` where neither is set.
    pub fn read(checks: &mut Checks, value: OptionText<'_>, file: OptionText<'_>) -> Option<Self> {
        let name = if value.text.is_some() { value.name } else { file.name };
        let url = Self(checks.secret(value, file)?);
        // The driver's error may hold a piece of the password, so it is not shown.
        if url.connection_string().is_err() {
            let right = "like mongodb://user:password@host:27017/database; special characters of the password are \
                         written as %40 and so on, and mongodb+srv is not supported";
            checks.problem(format!("{name} is {:?}: it must be {right}", url.masked()));
            return None;
        }
        Some(url)
    }

    pub(super) fn connection_string(&self) -> Result<ConnectionString, mongodb::error::Error> {
        ConnectionString::parse(self.0.reveal())
    }

    /// For the log.
    pub(super) fn masked(&self) -> String {
        self.0.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use process::checks::option;

    fn read(url: &str) -> (Option<MongoUrl>, Result<(), String>) {
        let mut checks = Checks::new();
        let read =
            MongoUrl::read(&mut checks, option("MONGO_URL", &Some(url.to_owned())), option("MONGO_URL_FILE", &None));
        (read, checks.finish().map_err(|error| error.to_string()))
    }

    #[test]
    fn a_url_is_read_and_never_shows_its_password() {
        let (url, problems) = read("mongodb://ann:hunter2@db:27017/shop?replicaSet=rs0");
        assert!(problems.is_ok());
        assert!(!format!("{url:?}").contains("hunter2"));
    }

    #[test]
    fn a_url_that_is_none_is_refused_by_name_without_its_password() {
        for wrong in ["localhost:27017", "http://ann:hunter2@db", "mongodb://ann:hun#ter2/@db", "mongodb+srv://db"] {
            let error = read(wrong).1.unwrap_err();
            assert!(error.contains("MONGO_URL") && error.contains("mongodb://user:password@host"), "{error}");
            assert!(!error.contains("ter2"), "{error}");
        }
    }
}
