//! The words that listed reviews mention most: a bounded number of them, each counted once per review.
//!
//! Knows English and German filler words and no grammar. Text that is written without spaces gives no words of use.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Content;

/// Most different words that are kept; of more, those that fewest reviews mention are forgotten.
pub const TERMS_MAX: usize = 200;
/// Shortest word that counts, in letters.
pub const TERM_CHARS_MIN: usize = 3;
/// Longest word that counts, in letters.
pub const TERM_CHARS_MAX: usize = 30;

/// Words that say nothing of a product, without apostrophes. What a review added to its month is computed anew when it goes, so with
/// another list older months keep some counts that nobody takes away.
const FILLERS: &str = "
    about after all also and any are because been before but can could did didnt does doesnt dont even every for from
    get got had has have her him his how into isnt its ive just like more most much not now off one only other our out
    over really she should since some such than that the their them then there these they this those too until use very
    was wasnt were what when which while who will with would you your

    aber als also auch auf aus bei bin bis damit dann das dass dem den der des die dies diese dieser dieses doch durch
    ein eine einem einen einer eines für habe haben hat hatte ich ihn ihr immer ist kann kein keine man mehr mein meine
    mich mir mit nach nicht noch nun nur oder ohne schon sehr sein sich sie sind über und uns vom von vor war weil wenn
    werden wie wir wird zum zur
";

/// The words of a review, each once.
pub fn terms_of(content: &Content) -> BTreeSet<String> {
    let fillers: BTreeSet<_> = FILLERS.split_whitespace().collect();
    let words = [&content.title, &content.text].into_iter().flat_map(|text| words(text));
    words.filter(|word| !fillers.contains(word.as_str())).collect()
}

/// In small letters; an apostrophe is within a word.
fn words(text: &str) -> impl Iterator<Item = String> {
    const APOSTROPHES: [char; 2] = ['\'', '\u{2019}'];
    let words = text.split(|letter: char| !letter.is_alphabetic() && !APOSTROPHES.contains(&letter));
    let words = words.map(|word| word.replace(APOSTROPHES, "").to_lowercase());
    words.filter(|word| (TERM_CHARS_MIN..=TERM_CHARS_MAX).contains(&word.chars().count()))
}

/// How many listed reviews mention each word. Never more than do; fewer where a word was forgotten meanwhile, which
/// happens to rare ones once there are more than [`TERMS_MAX`]. Once that many words were each said twice in a month, words that nobody
/// had said before do not come up in it any more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Terms(BTreeMap<String, u32>);

impl Terms {
    /// The counts after a review came, went or changed its words.
    pub fn revised(&self, before: &BTreeSet<String>, after: &BTreeSet<String>) -> Self {
        let mut terms = self.0.clone();
        for term in before.difference(after) {
            if let Some(count) = terms.get_mut(term) {
                *count = count.saturating_sub(1);
            }
        }
        for term in after.difference(before) {
            let count = terms.entry(term.clone()).or_default();
            *count = count.saturating_add(1);
        }
        terms.retain(|_, count| *count > 0);
        let excess = terms.len().saturating_sub(TERMS_MAX);
        if excess > 0 {
            // The rarest go; of these the old ones first, so that what comes up now can still grow.
            let mut rarest: Vec<_> =
                terms.iter().map(|(term, count)| (*count, after.contains(term), term.clone())).collect();
            rarest.sort_unstable();
            for (_, _, term) in rarest.into_iter().take(excess) {
                terms.remove(&term);
            }
        }
        Self(terms)
    }

    /// Each word with the number of reviews that mention it.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u32)> {
        self.0.iter().map(|(term, count)| (term.as_str(), *count))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    use super::*;
    use crate::domain::review::Rating;

    fn content(title: &str, text: &str) -> Content {
        Content { rating: Rating::ALL[3], title: title.into(), text: text.into() }
    }

    #[test]
    fn words_count_once_without_case_fillers_and_what_is_short_or_long() {
        let endless = "a".repeat(TERM_CHARS_MAX + 1);
        let text = format!("It's QUIET; really quiet! Größe passt, don\u{2019}t ask. 12 mm {endless}");
        let found: Vec<_> = terms_of(&content("Quiet widget", &text)).into_iter().collect();
        assert_eq!(found, ["ask", "größe", "passt", "quiet", "widget"]);
        assert!(terms_of(&content("...", "the and für")).is_empty());
    }

    #[test]
    fn fillers_are_words_that_could_count() {
        for filler in FILLERS.split_whitespace() {
            assert_eq!(words(filler).collect::<Vec<_>>(), [filler]);
        }
    }

    #[test]
    fn what_comes_up_late_grows_where_all_is_full() {
        let said = |word: String| BTreeSet::from([word]);
        let mut terms = Terms::default();
        for number in 0..TERMS_MAX {
            terms = terms.revised(&BTreeSet::new(), &said(format!("w{number}")));
        }
        for _ in 0..3 {
            terms = terms.revised(&BTreeSet::new(), &said("broken".to_owned()));
        }
        assert_eq!(terms.iter().count(), TERMS_MAX);
        assert_eq!(terms.iter().max_by_key(|(_, count)| *count), Some(("broken", 3)));
    }

    proptest! {
        /// Few words in many reviews, and many words in few.
        #[test]
        fn no_word_counts_more_often_than_it_is_mentioned_and_few_words_exactly(
            words in 1..400_usize,
            moves in proptest::collection::vec((0..5_usize, proptest::collection::btree_set(0..400_usize, 0..120)), 1..30),
        ) {
            let mut reviews: [BTreeSet<String>; 5] = Default::default();
            let mut terms = Terms::default();
            for (who, said) in moves {
                let after: BTreeSet<_> = said.into_iter().map(|word| format!("w{}", word % words)).collect();
                terms = terms.revised(&reviews[who], &after);
                reviews[who] = after;
                prop_assert!(terms.iter().count() <= TERMS_MAX);
                let mut truth = BTreeMap::<&str, u32>::new();
                for word in reviews.iter().flatten() {
                    *truth.entry(word).or_default() += 1;
                }
                for (term, count) in terms.iter() {
                    prop_assert!(count <= truth.get(term).copied().unwrap_or_default(), "{}", term);
                }
                if words <= TERMS_MAX {
                    prop_assert_eq!(terms.iter().collect::<BTreeMap<_, _>>(), truth);
                }
            }
        }
    }
}
