//! Sees each booking once while it is read, and holds it against the record, if there is one.

use super::{
    against::{Against, Checked},
    facts::Booking,
    findings::Findings,
};

/// The record and what was found against it.
#[derive(Default)]
pub(super) struct Watch {
    against: Option<Against>,
    findings: Findings,
}

impl Watch {
    /// With a record, or without.
    pub(super) fn new(against: Option<Against>) -> Self {
        Self { against, findings: Findings::default() }
    }

    /// Whether there is a record.
    pub(super) fn has_record(&self) -> bool {
        self.against.is_some()
    }

    /// Before the first booking. What an earlier reading has found is forgotten.
    pub(super) fn begin(&mut self) {
        self.findings = Findings::default();
        if let Some(against) = &mut self.against {
            against.begin();
        }
    }

    /// A booking.
    pub(super) fn see(&mut self, booking: &Booking<'_>) {
        if let Some(against) = &mut self.against {
            against.see(booking, &mut self.findings);
        }
    }

    /// After the last booking.
    pub(super) fn finish(mut self, findings: &mut Findings) -> Option<Checked> {
        let checked = self.against.map(|against| against.finish(&mut self.findings));
        findings.append(self.findings);
        checked
    }
}
