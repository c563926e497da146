//! The rows of the quality side as files in the vocabulary, and the statements that they are complete.
//! Owns which columns are written; it must never choose a value.

use crate::{
    error::SimError, operation::Operation, registers::file, table::Handed, world::FeedRow,
};

type Cells = Vec<Vec<String>>;

/// Rows by table.
#[derive(Debug, Default)]
pub struct Rows {
    pub terms: Cells,
    pub plans: Cells,
    pub prices: Cells,
    pub assignments: Cells,
    pub shifts: Cells,
    pub lots: Cells,
    pub inspections: Cells,
    pub defects: Cells,
    pub actions: Cells,
    pub complaints: Cells,
}

/// Path, table, columns, and how many of them from the first on make a row's identity.
type Layout<'a> = (&'a str, &'a str, &'a [&'a str], &'a [&'a str]);

const TERM: Layout<'_> = (
    "quality/quality_term.csv",
    "quality_term",
    &[
        "arrangement_id",
        "stream",
        "inspection",
        "blind_percent",
        "kappa_minimum",
        "monotonous",
        "action_days",
        "baseline_from",
        "baseline_until",
        "basis",
        "source",
    ],
    &["arrangement_id", "stream"],
);
const PLAN: Layout<'_> = (
    "quality/sampling_plan.csv",
    "sampling_plan",
    &["arrangement_id", "stream", "defect_class", "level", "aql", "reduced_allowed", "source"],
    &["arrangement_id", "stream", "defect_class"],
);
const PRICE: Layout<'_> = (
    "quality/unit_price.csv",
    "unit_price",
    &["arrangement_id", "stream", "price", "unit", "source", "valid_from"],
    &["arrangement_id", "stream", "valid_from"],
);
const ASSIGNMENT: Layout<'_> = (
    "quality/assignment.csv",
    "assignment",
    &["arrangement_id", "person_id", "role", "valid_from"],
    &["arrangement_id", "person_id", "valid_from"],
);
const SHIFT: Layout<'_> = (
    "quality/shift.csv",
    "shift",
    &["arrangement_id", "person_id", "starts_at", "ends_at"],
    &["arrangement_id", "person_id", "starts_at"],
);
const LOT: Layout<'_> = (
    "quality/lot.csv",
    "lot",
    &[
        "arrangement_id",
        "source",
        "stream",
        "lot_id",
        "lot_number",
        "submitted_at",
        "item_count",
        "draw_seed",
        "disposition",
        "decided_at",
    ],
    &["arrangement_id", "source", "stream", "lot_id"],
);
const INSPECTION: Layout<'_> = (
    "quality/inspection.csv",
    "inspection",
    &[
        "arrangement_id",
        "source",
        "stream",
        "lot_id",
        "item_number",
        "case_id",
        "pass",
        "reviewer_id",
        "worker_id",
        "worked_at",
        "inspected_at",
        "outcome",
    ],
    &[
        "arrangement_id",
        "source",
        "stream",
        "lot_id",
        "item_number",
        "case_id",
        "pass",
        "reviewer_id",
    ],
);
const DEFECT: Layout<'_> = (
    "quality/defect.csv",
    "defect",
    &[
        "arrangement_id",
        "source",
        "defect_id",
        "stream",
        "defect_class",
        "cause",
        "found_at",
        "found_by",
    ],
    &["arrangement_id", "source", "defect_id"],
);
const ACTION: Layout<'_> = (
    "quality/corrective_action.csv",
    "corrective_action",
    &["arrangement_id", "action_id", "stream", "cause", "about", "raised_on", "due_on", "done_on"],
    &["arrangement_id", "action_id"],
);
const COMPLAINT: Layout<'_> = (
    "quality/complaint.csv",
    "complaint",
    &["arrangement_id", "source", "complaint_id", "received_at", "channel", "finding", "case_id"],
    &["arrangement_id", "source", "complaint_id"],
);

impl Rows {
    /// The files, in the order of import.
    pub fn files(&self, _operation: &Operation) -> Result<Vec<Handed>, SimError> {
        let files = [
            (TERM, &self.terms),
            (PLAN, &self.plans),
            (PRICE, &self.prices),
            (ASSIGNMENT, &self.assignments),
            (SHIFT, &self.shifts),
            (LOT, &self.lots),
            (INSPECTION, &self.inspections),
            (DEFECT, &self.defects),
            (ACTION, &self.actions),
            (COMPLAINT, &self.complaints),
        ];
        let made = files.into_iter().map(|((path, table, header, identity), rows)| {
            file(path, table, header, identity, rows.clone())
        });
        Ok(made.collect())
    }

    /// The lists of events that each arrangement declares complete, with their totals.
    pub fn feeds(&self, operation: &Operation) -> Vec<FeedRow> {
        let mut found = Vec::new();
        for (table, rows) in [
            ("lot", &self.lots),
            ("inspection", &self.inspections),
            ("defect", &self.defects),
            ("complaint", &self.complaints),
        ] {
            for arrangement in operation.world.arrangements.iter().map(|row| row.id.as_str()) {
                let count =
                    rows.iter().filter(|row| row.first().is_some_and(|id| id == arrangement));
                let count = i64::try_from(count.count()).unwrap_or(0);
                // Who keeps no such list declares none.
                if count == 0 {
                    continue;
                }
                found.push(FeedRow {
                    arrangement: arrangement.into(),
                    feed: "quality".into(),
                    table: table.into(),
                    entry: "complete".into(),
                    count: Some(count),
                    from: operation.first,
                    until: Some(operation.cut),
                    ..FeedRow::default()
                });
            }
        }
        found
    }
}
