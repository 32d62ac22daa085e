//! What Cosmos DB charges for a request, as published: the emulator charges a batch a flat sum, so its own figures are
//! not used.
//!
//! Figures for a document of 1 KB with session consistency, in request units (RUs). A read of 1 RU, and the growth to ten
//! times as much at 100 KB, are in Microsoft's "Azure Cosmos DB as a key value store"; 5.71 for a create and 10.67 for a
//! replace are what public samples note as the service's answer with its default indexes. Between 1 and 100 KB the charge is taken to be linear.
//! A batch costs what its writes cost. Fewer indexes than by default, which the shop has, make writes cheaper for all.

const READ_RU: f64 = 1.0;
const CREATE_RU: f64 = 5.71;
const REPLACE_RU: f64 = 10.67;
/// How much dearer a document of 100 KB is than one of 1 KB.
const GROWTH_TO_100_KB: f64 = 10.0;
/// The assumption of the report's columns: the least that the service was seen to charge, which favours those who are
/// refused most.
pub(crate) const TABLE_REFUSAL: Refusal = Refusal::AsSeen;
/// Charge of a replace that the service refused with 412, as logged in microsoft/vscode-cosmosdb#1473.
const REFUSED_RU: f64 = 1.24;

/// What a request does to one document of this size in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Read(usize),
    Create(usize),
    Replace(usize),
}

impl Operation {
    /// What it costs when it takes effect.
    pub(crate) fn ru(self) -> f64 {
        match self {
            Self::Read(bytes) => READ_RU * size_factor(bytes),
            Self::Create(bytes) => CREATE_RU * size_factor(bytes),
            Self::Replace(bytes) => REPLACE_RU * size_factor(bytes),
        }
    }
}

fn size_factor(bytes: usize) -> f64 {
    let kb = f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)) / 1024.0;
    1.0 + (GROWTH_TO_100_KB - 1.0) * (kb.max(1.0) - 1.0) / 99.0
}

/// What a batch is taken to cost that the service refuses. Nothing is published about that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Nothing. The service does charge; this only bounds what else it could be.
    Free,
    /// What a single refused replace was seen to cost.
    AsSeen,
    /// What its writes would have cost.
    AsWritten,
}

impl Refusal {
    pub(crate) const ALL: [Self; 3] = [Self::Free, Self::AsSeen, Self::AsWritten];

    /// The charge of a refused batch whose writes would have cost so much.
    pub(crate) fn ru(self, written_ru: f64) -> f64 {
        match self {
            Self::Free => 0.0,
            Self::AsSeen => REFUSED_RU,
            Self::AsWritten => written_ru,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Free => "nothing",
            Self::AsSeen => "1.24 RU",
            Self::AsWritten => "as much as if written",
        }
    }
}
