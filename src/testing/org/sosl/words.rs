//! Words of texts, and patterns for them.

/// A pattern for a word, folded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word(pub(super) Vec<Part>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Letter(char),
    /// `*`: any letters, in the middle or at the end of a word.
    Many,
    /// `?`: one letter.
    One,
}

impl Word {
    pub(super) fn letters(&self) -> usize {
        self.0.iter().filter(|part| matches!(part, Part::Letter(_))).count()
    }

    fn matches(&self, word: &[char]) -> bool {
        // Positions of the pattern that are reached after each letter; a loop, so that no pattern takes more than its length times
        // that of the word.
        let parts = &self.0;
        let skip_many = |reached: &mut Vec<bool>| {
            for at in 0..parts.len() {
                if reached[at] && parts[at] == Part::Many {
                    reached[at + 1] = true;
                }
            }
        };
        let mut reached = vec![false; parts.len() + 1];
        reached[0] = true;
        skip_many(&mut reached);
        for letter in word {
            let mut next = vec![false; parts.len() + 1];
            for (at, part) in parts.iter().enumerate().filter(|(at, _)| reached[*at]) {
                match part {
                    Part::Many => next[at] = true,
                    Part::One => next[at + 1] = true,
                    Part::Letter(wanted) if wanted == letter => next[at + 1] = true,
                    Part::Letter(_) => {}
                }
            }
            skip_many(&mut next);
            reached = next;
        }
        reached[parts.len()]
    }
}

/// The words of a text, folded: what stands between blanks and punctuation.
pub(super) fn words(text: &str) -> Vec<Vec<char>> {
    let parts = text.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
    parts.map(|part| part.to_lowercase().chars().collect()).collect()
}

/// Whether the words follow each other in a text.
pub(super) fn follow(phrase: &[Word], text: &[Vec<char>]) -> bool {
    !phrase.is_empty()
        && text.windows(phrase.len()).any(|run| phrase.iter().zip(run).all(|(word, found)| word.matches(found)))
}
