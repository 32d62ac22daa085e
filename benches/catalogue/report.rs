//! The report: rows out of rounds, as Markdown for people and as JSON for programs.

use serde_json::{Value, json};

use crate::asking::Round;
use crate::cases::{Answerer, Case, Question};
use crate::figures::{count, median, percentile_ms};
use crate::options::Options;

/// Least throughput of a product that is cached against the bare handler.
const CACHED_MIN: f64 = 0.7;

/// Everything that was measured.
pub(crate) struct Report {
    rows: Vec<Row>,
    connections: u32,
    latency_ms: u128,
    rounds: u32,
}

/// A case over all rounds. Requests and RUs are means for one answer.
struct Row {
    case: Case,
    /// Of each round.
    answers_per_s: Vec<f64>,
    p50_ms: f64,
    p99_ms: f64,
    answers: usize,
    requests: f64,
    ru: f64,
}

impl Row {
    fn new(case: Case, rounds: &[Round]) -> Self {
        let mine: Vec<_> = rounds.iter().filter(|round| round.case == case).collect();
        let latencies: Vec<_> = mine.iter().flat_map(|round| round.asked.latencies.iter().copied()).collect();
        let answers = latencies.len();
        let per_s = |round: &&Round| count(round.asked.latencies.len()) / round.asked.took.as_secs_f64();
        Self {
            case,
            answers_per_s: mine.iter().map(per_s).collect(),
            p50_ms: percentile_ms(&latencies, 50),
            p99_ms: percentile_ms(&latencies, 99),
            answers,
            requests: mine.iter().map(|round| f64::from(round.tally.requests)).sum::<f64>() / count(answers),
            ru: mine.iter().map(|round| round.tally.ru).sum::<f64>() / count(answers),
        }
    }

    /// The median of the rounds' ratios.
    fn throughput_against(&self, other: &Self) -> f64 {
        median(self.answers_per_s.iter().zip(&other.answers_per_s).map(|(own, other)| own / other))
    }
}

impl Report {
    pub(crate) fn new(options: &Options, rounds: &[Round]) -> Self {
        let cases = Question::ALL
            .into_iter()
            .flat_map(|question| Answerer::ALL.map(|answerer| Case { question, answerer }));
        Self {
            rows: cases.map(|case| Row::new(case, rounds)).collect(),
            connections: options.connections(),
            latency_ms: options.latency().as_millis(),
            rounds: options.rounds(),
        }
    }

    /// The row's throughput against that of the bare handler that gives the same answer.
    fn against_bare(&self, row: &Row) -> f64 {
        let bare = Case { answerer: Answerer::Bare, ..row.case };
        self.rows.iter().find(|other| other.case == bare).map_or(0.0, |bare| row.throughput_against(bare))
    }

    /// The claim's figure, and whether it is kept.
    fn claim(&self) -> (f64, bool) {
        let case = Case { question: Question::Product, answerer: Answerer::Cached };
        let row = self.rows.iter().find(|row| row.case == case);
        let figure = row.map_or(0.0, |row| self.against_bare(row));
        (figure, figure >= CACHED_MIN)
    }

    pub(crate) fn json(&self) -> Value {
        let row = |row: &Row| {
            json!({
                "question": row.case.question.name(),
                "answerer": row.case.answerer.name(),
                "answers": row.answers,
                "answersPerSecond": median(row.answers_per_s.iter().copied()),
                "answersPerSecondOfRounds": row.answers_per_s,
                "againstBare": self.against_bare(row),
                "p50Ms": row.p50_ms,
                "p99Ms": row.p99_ms,
                "storeRequests": row.requests,
                "ru": row.ru,
            })
        };
        let (figure, is_kept) = self.claim();
        json!({
            "rounds": self.rounds,
            "cores": cores(),
            "connections": self.connections,
            "latencyMs": self.latency_ms,
            "cachedAgainstBare": {"figure": figure, "kept": is_kept},
            "rows": self.rows.iter().map(row).collect::<Vec<_>>(),
        })
    }

    pub(crate) fn markdown(&self) -> String {
        let (figure, is_kept) = self.claim();
        let kept = if is_kept { "yes" } else { "no" };
        let mut text = format!(
            "Measured on {} cores: {} connections, {} rounds; store answers after {} ms.\n\n\
             | claim | measured | kept |\n| --- | --- | --- |\n\
             | a product that is cached: requests/s against bare; at least {CACHED_MIN} | {figure:.2} | {kept} |\n\n\
             | asked for | answered by | requests/s | against bare | p50 ms | p99 ms | store requests | RUs |\n\
             | --- | --- | --- | --- | --- | --- | --- | --- |\n",
            cores(),
            self.connections,
            self.rounds,
            self.latency_ms,
        );
        for row in &self.rows {
            let Case { question, answerer } = row.case;
            text.push_str(&format!(
                "| {} | {} | {:.0} | {:.2} | {:.2} | {:.2} | {:.3} | {:.3} |\n",
                question.name(),
                answerer.name(),
                median(row.answers_per_s.iter().copied()),
                self.against_bare(row),
                row.p50_ms,
                row.p99_ms,
                row.requests,
                row.ru,
            ));
        }
        text
    }
}

/// What the machine, or its owner, lets this process use.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
