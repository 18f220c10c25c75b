//! The options of the page: those that it has in `myevents` itself, too, and those of `myevents page`. Each is a text for clap, so that
//! all problems are reported at once.

use std::net::{Ipv6Addr, SocketAddr, TcpListener};

use process::{
    checks::{Checks, ConfigError, OptionText, option},
    telemetry::{LogConfig, LogOptions},
};
use rest::{
    Target,
    urls::{UrlOptions, Urls},
};
use service::Listen;
use webserver::listen::ListenError;

/// Where the page is, if nobody asks for another place.
const ADDRESS: &str = "127.0.0.1:8383";

/// The options that the page has wherever it runs.
#[derive(clap::Args)]
pub struct PageOptions {
    /// Where the page to book on and to watch listens [default: 127.0.0.1:8383, or a free port where that is taken]
    #[arg(long, env = "PAGE_ADDR")]
    page_addr: Option<String>,
    /// The names, separated by commas, under which the page answers besides those of this machine's own, like localhost
    #[arg(long, env = "PAGE_HOSTS")]
    page_hosts: Option<String>,
    /// Where Grafana is, for a link on the page
    #[arg(long, env = "GRAFANA_URL")]
    grafana_url: Option<String>,
    /// Where Prometheus is, for a link on the page
    #[arg(long, env = "PROMETHEUS_URL")]
    prometheus_url: Option<String>,
    /// Whether a button on the page may start a gentle load: on or off [default: on in `myevents`, off in `myevents page`]
    #[arg(long, env = "PAGE_PLAY")]
    page_play: Option<String>,
}

/// Serves the page to book on and to watch, for services that run apart
///
/// It forwards a few requests to them, and shows what their metrics say. It keeps nothing on disk. Whoever reaches it can book, and sees
/// what the page shows, without a password: let nobody else reach it. `myevents` without a command serves it by itself.
#[derive(clap::Args)]
pub struct Options {
    #[command(flatten)]
    page: PageOptions,
    #[command(flatten)]
    urls: UrlOptions,
    #[command(flatten)]
    log: LogOptions,
}

/// The page's own configuration: its options, checked.
#[derive(Clone, Debug)]
pub struct Config {
    listen: Listen,
    /// Whether somebody asked for that address.
    asked: bool,
    /// Names under which it answers, besides loopback names.
    pub(crate) hosts: Vec<String>,
    /// Where Grafana is.
    pub(crate) grafana: Option<String>,
    /// Where Prometheus is.
    pub(crate) prometheus: Option<String>,
    /// Whether the load may be started here.
    pub(crate) play: bool,
}

impl Config {
    /// Where it listens, if somebody asked for that address; for a check that no two addresses are the same.
    pub fn asked_for(&self) -> Option<&Listen> {
        self.asked.then_some(&self.listen)
    }

    /// Binds the address. Where nobody asked for one and the usual one is taken, as by a second `myevents`, it takes a free port.
    pub fn bind(&self) -> Result<TcpListener, ListenError> {
        match self.listen.bind() {
            Err(taken) if !self.asked && taken.is_in_use() => {
                let free = SocketAddr::new(self.listen.address.ip(), 0);
                Listen { address: free, option: self.listen.option }.bind().map_err(|_| taken)
            }
            bound => bound,
        }
    }

    /// The address that was not free, where the page took another one instead.
    pub fn moved_from(&self, bound: SocketAddr) -> Option<SocketAddr> {
        (!self.asked && bound != self.listen.address).then_some(self.listen.address)
    }
}

impl PageOptions {
    /// Checks them; `play` is what holds where nobody says whether the load may be started.
    pub fn read(&self, checks: &mut Checks, play: bool) -> Config {
        let asked = option("PAGE_ADDR", &self.page_addr).unless_blank();
        let address = OptionText { text: asked.text.or(Some(ADDRESS)), ..asked };
        let link = |checks: &mut Checks, name, text: &Option<String>| {
            let right = "an address that a browser can open, like http://127.0.0.1:3000";
            let given = OptionText { name, text: text.as_deref() }.unless_blank();
            checks.value(given, None, right, |text| is_link(text).then(|| Some(text.trim_end_matches('/').to_owned())))
        };
        let hosts = option("PAGE_HOSTS", &self.page_hosts).unless_blank();
        let play = option("PAGE_PLAY", &self.page_play)
            .unless_blank()
            .text
            .map_or(play, |_| checks.choice(option("PAGE_PLAY", &self.page_play), &[("on", true), ("off", false)]));
        Config {
            listen: Listen::read(checks, address, ADDRESS),
            asked: self.page_addr.as_ref().is_some_and(|text| !text.trim().is_empty()),
            hosts: checks.value(hosts, Vec::new(), "names like tickets.example, separated by commas", names),
            grafana: link(checks, "GRAFANA_URL", &self.grafana_url),
            prometheus: link(checks, "PROMETHEUS_URL", &self.prometheus_url),
            play,
        }
    }
}

impl Options {
    /// Checks all options.
    pub(crate) fn read(&self) -> Result<(Config, Urls, LogConfig), ConfigError> {
        let mut checks = Checks::new();
        let (config, urls) = (self.page.read(&mut checks, false), self.urls.read(&mut checks));
        let log = self.log.read(&mut checks);
        checks.finish()?;
        Ok((config, urls, log))
    }
}

/// The links are only shown, so HTTPS is fine as well.
fn is_link(text: &str) -> bool {
    let plain = text.strip_prefix("https://").map(|rest| format!("http://{rest}"));
    Target::parse(plain.as_deref().unwrap_or(text)).is_some()
}

fn names(text: &str) -> Option<Vec<String>> {
    text.split(',').map(name).collect()
}

/// A name or an address without a port, as it stands in a `Host`.
fn name(text: &str) -> Option<String> {
    let name = text.trim().trim_end_matches('.').to_ascii_lowercase();
    if let Ok(address) = name.trim_start_matches('[').trim_end_matches(']').parse::<Ipv6Addr>() {
        return Some(format!("[{address}]"));
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    (!name.is_empty() && name.chars().all(fits)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_a_host_can_be_without_its_port() {
        let right = ["tickets.example", "a", "192.168.0.4", "[fd00::1]", "[fd00::1]"].map(str::to_owned);
        assert_eq!(names("Tickets.Example., a,192.168.0.4,FD00::1,[fd00::1]"), Some(right.into()));
        for wrong in ["", "a,", "a:80", "http://a", "a b", "*.example", "[fd00::1]:80"] {
            assert_eq!(names(wrong), None, "{wrong:?}");
        }
    }
}
