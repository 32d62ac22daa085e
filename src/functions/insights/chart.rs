//! Charts as SVG: the course of ratings over months, and bars beside each other. Every text in them is escaped.
//!
//! Colours and type are the page's, by class. Does not know what the figures are about.

use crate::domain::review::RATING_MAX;

/// Width of a course, in its own units.
const WIDTH: f64 = 720.0;
/// Room for the numbers of the scales.
const LEFT: f64 = 44.0;
const RIGHT: f64 = 8.0;
const TOP: f64 = 32.0;
/// Height of the means, and below them of the counts.
const MEANS: f64 = 130.0;
const COUNTS: f64 = 90.0;
const GAP: f64 = 48.0;
const LABELS: f64 = 26.0;
/// Most labels that fit below the course.
const LABELS_MAX: usize = 12;
/// Width of a chart of bars: half a page.
const BARS_WIDTH: f64 = 400.0;
/// Height of a bar, and with its gap.
const BAR: f64 = 18.0;
const BAR_STEP: f64 = 26.0;
/// Room for the names and for the notes.
const NAMES: f64 = 130.0;
const NOTES: f64 = 80.0;
/// Longest name that fits, in characters.
const NAME_CHARS_MAX: usize = 13;

/// One point of a course.
#[derive(Debug, Clone)]
pub struct Point {
    /// What stands below it.
    pub label: String,
    /// How many.
    pub count: u64,
    /// Their mean rating in hundredths; the line has a gap without one.
    pub mean_hundredths: Option<u32>,
}

/// One bar.
#[derive(Debug, Clone)]
pub struct Bar {
    /// What stands before it.
    pub name: String,
    /// How long it is.
    pub value: u64,
    /// What stands behind it.
    pub note: String,
}

/// Means as a line, and below them counts as columns, from left to right.
pub fn course(id: &str, title: &str, description: &str, points: &[Point]) -> String {
    let height = TOP + MEANS + GAP + COUNTS + LABELS;
    let step = (WIDTH - LEFT - RIGHT) / size(points.len().max(1));
    let x = |at: usize| LEFT + step * (size(at) + 0.5);
    let most = nice(points.iter().map(|point| point.count).max().unwrap_or_default());
    let floor = TOP + MEANS + GAP + COUNTS;
    let mut parts = vec![
        text("", (LEFT, TOP - 20.0), "Mean rating"),
        scale_of_means(),
        text("", (LEFT, floor - COUNTS - 20.0), "Reviews"),
        scale_of_counts(floor, most),
    ];
    let every = points.len().div_ceil(LABELS_MAX).max(1);
    let width = (step * 0.64).min(48.0);
    for (at, point) in points.iter().enumerate() {
        let height = COUNTS * number(point.count) / number(most);
        let told = format!("{}: {} reviews", point.label, point.count);
        parts.push(column(x(at) - width / 2.0, floor - height, (width, height), &told));
        if at % every == 0 {
            parts.push(text("label middle", (x(at), floor + 18.0), &point.label));
        }
    }
    parts.extend(line(points, &x));
    figure(id, title, description, (WIDTH, height), &parts.concat())
}

/// Bars beside each other, each with its name and a note.
pub fn bars(id: &str, title: &str, description: &str, bars: &[Bar]) -> String {
    let most = number(bars.iter().map(|bar| bar.value).max().unwrap_or_default().max(1));
    let room = BARS_WIDTH - NAMES - NOTES;
    let parts = bars.iter().enumerate().map(|(at, bar)| {
        let y = BAR_STEP * size(at);
        let rect = |class: &str, width: f64| {
            format!(
                r#"<rect class="{class}" x="{NAMES}" y="{y:.1}" width="{width:.1}" height="{BAR}" rx="3"/>"#
            )
        };
        let told = escaped(&format!("{}: {}", bar.name, bar.note));
        [
            format!("<g><title>{told}</title>"),
            text("end", (NAMES - 10.0, y + BAR / 2.0), &shortened(&bar.name)),
            rect("track", room),
            rect("bar", room * number(bar.value) / most),
            text("", (NAMES + room + 10.0, y + BAR / 2.0), &bar.note),
            "</g>".to_owned(),
        ]
        .concat()
    });
    figure(id, title, description, (BARS_WIDTH, BAR_STEP * size(bars.len())), &parts.collect::<String>())
}

fn shortened(name: &str) -> String {
    match name.char_indices().nth(NAME_CHARS_MAX) {
        Some((end, _)) => format!("{}\u{2026}", &name[..end]),
        None => name.to_owned(),
    }
}

/// Text as it may stand in HTML and SVG, also within quotes.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// A picture to a reader who sees it, its title and description to one who hears it.
fn figure(id: &str, title: &str, description: &str, (width, height): (f64, f64), parts: &str) -> String {
    let (title, description) = (escaped(title), escaped(description));
    format!(
        r#"<svg viewBox="0 0 {width} {height}" role="img" aria-labelledby="{id}-title {id}-desc"><title id="{id}-title">{title}</title><desc id="{id}-desc">{description}</desc>{parts}</svg>"#
    )
}

fn scale_of_means() -> String {
    let marks = (1..=RATING_MAX).map(|rating| {
        let y = height_of(u32::from(rating) * 100);
        let grid = grid(y);
        format!("{grid}{}", text("label end", (LEFT - 8.0, y), &rating.to_string()))
    });
    marks.collect()
}

fn scale_of_counts(floor: f64, most: u64) -> String {
    let marks = [(0.0, 0), (COUNTS, most)].map(|(above, count)| {
        let y = floor - above;
        let grid = grid(y);
        format!("{grid}{}", text("label end", (LEFT - 8.0, y), &count.to_string()))
    });
    marks.concat()
}

fn grid(y: f64) -> String {
    format!(r#"<line class="grid" x1="{LEFT}" y1="{y:.1}" x2="{:.1}" y2="{y:.1}"/>"#, WIDTH - RIGHT)
}

fn column(x: f64, y: f64, (width, height): (f64, f64), told: &str) -> String {
    let told = escaped(told);
    format!(
        r#"<rect class="bar" x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" rx="2"><title>{told}</title></rect>"#
    )
}

/// The line with its points; months without a mean part it.
fn line(points: &[Point], x: &impl Fn(usize) -> f64) -> Vec<String> {
    let placed: Vec<_> = points
        .iter()
        .enumerate()
        .map(|(at, point)| Some((x(at), height_of(point.mean_hundredths?), point)))
        .collect();
    let pieces = placed.split(Option::is_none).map(|piece| {
        let places = piece.iter().flatten().map(|(x, y, _)| format!("{x:.1},{y:.1}"));
        format!(r#"<polyline class="line" points="{}"/>"#, places.collect::<Vec<_>>().join(" "))
    });
    let dots = placed.iter().flatten().map(|(x, y, point)| {
        let mean = super::hundredths(point.mean_hundredths.unwrap_or_default().into());
        let told = escaped(&format!("{}: mean {mean}", point.label));
        format!(r#"<circle class="dot" cx="{x:.1}" cy="{y:.1}" r="4"><title>{told}</title></circle>"#)
    });
    pieces.chain(dots).collect()
}

/// Where a mean stands.
fn height_of(mean_hundredths: u32) -> f64 {
    let share = (f64::from(mean_hundredths) - 100.0) / (f64::from(RATING_MAX) * 100.0 - 100.0);
    TOP + MEANS * (1.0 - share)
}

fn text(class: &str, (x, y): (f64, f64), text: &str) -> String {
    format!(r#"<text class="{class}" x="{x:.1}" y="{y:.1}" dy="0.35em">{}</text>"#, escaped(text))
}

/// The next 1, 2 or 5 with zeros behind, at least 5.
fn nice(most: u64) -> u64 {
    let mut unit = 1_u64;
    loop {
        for step in [1, 2, 5] {
            let candidate = unit.saturating_mul(step);
            if candidate >= most.max(5) {
                return candidate;
            }
        }
        unit = unit.saturating_mul(10);
    }
}

fn number(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}

fn size(count: usize) -> f64 {
    number(u64::try_from(count).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scale_ends_at_a_round_number_not_below_the_most() {
        for (most, expected) in
            [(0, 5), (5, 5), (6, 10), (11, 20), (21, 50), (1001, 2000), (u64::MAX, u64::MAX)]
        {
            assert_eq!(nice(most), expected, "{most}");
        }
    }

    #[test]
    fn line_is_parted_where_there_is_no_mean() {
        let point = |mean_hundredths| Point { label: "2026-01".into(), count: 1, mean_hundredths };
        let points = [Some(100), Some(500), None, Some(300)].map(point);
        let svg = course("c", "Course", "", &points);
        let lines: Vec<_> = svg.split("<polyline").skip(1).map(|line| line.matches(',').count()).collect();
        assert_eq!((lines, svg.matches("<circle").count()), (vec![2, 1], 3));
        assert_eq!((height_of(500), height_of(100)), (TOP, TOP + MEANS));
    }

    #[test]
    fn texts_of_others_are_no_markup() {
        let bar = Bar { name: "<script>".into(), value: 1, note: "\"'&".into() };
        let svg = bars("b", "a < b", "</desc>", &[bar]);
        assert!(
            svg.contains("&lt;script&gt;") && svg.contains("&quot;&#39;&amp;") && svg.contains("a &lt; b")
        );
        assert_eq!(svg.matches("</desc>").count(), 1);
    }
}
