//! How much of the machine others took meanwhile: figures of a busy machine say little.

use std::fs;

use anyhow::Context;

/// The clock ticks of all processors so far.
pub(crate) struct Noise {
    busy: f64,
    idle: f64,
    own: f64,
}

impl Noise {
    pub(crate) fn begin() -> anyhow::Result<Self> {
        let numbers = |text: &str| text.split_whitespace().filter_map(|word| word.parse().ok()).collect::<Vec<f64>>();
        let all = fs::read_to_string("/proc/stat")?;
        // user nice system idle iowait irq softirq steal; guests are in user.
        let all = numbers(all.lines().next().context("the first line is of all processors")?);
        let own = fs::read_to_string("/proc/self/stat")?;
        // From the state on; the name before it may hold anything. What is numbers in it begins with the parent.
        let own = numbers(own.rsplit_once(')').context("the name is in brackets")?.1);
        let idle = all.iter().skip(3).take(2).sum();
        // utime, stime, and the same of the children that have ended.
        Ok(Self { busy: all.iter().take(8).sum::<f64>() - idle, idle, own: own.iter().skip(10).take(4).sum() })
    }

    /// Percent of the processors that others took since then; all own processes must have ended.
    pub(crate) fn percent(&self) -> anyhow::Result<f64> {
        let now = Self::begin()?;
        let (busy, own) = (now.busy - self.busy, now.own - self.own);
        Ok((busy - own).max(0.0) / (busy + now.idle - self.idle) * 100.0)
    }
}
