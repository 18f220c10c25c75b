//! The pictures of the page in `docs/pictures`, drawn by the tests when they run with `UPDATE=pictures`.

use e2e::dashboard::workspace;

use crate::window::Window;

/// What README's readers load.
const LARGEST: usize = 120_000;

/// Writes `docs/pictures/page-NAME.png` of what the window shows, if pictures are asked for.
pub(crate) async fn draw(window: &Window, name: &str) {
    if std::env::var("UPDATE").is_ok_and(|what| what == "pictures") {
        let picture = window.session.picture().await;
        assert!(picture.len() <= LARGEST, "{name}: {} bytes", picture.len());
        std::fs::write(workspace().join(format!("docs/pictures/page-{name}.png")), picture).unwrap();
    }
}
