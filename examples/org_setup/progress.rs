//! How far a set-up is: a bar on a terminal, lines elsewhere.

use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressStyle};
use sforce::schema::{ItemKind, SetupProgress};

#[derive(Clone, Default)]
pub(crate) struct Progress(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    bar: Option<ProgressBar>,
    /// The last line, which is not said twice.
    told: String,
}

impl Progress {
    pub(crate) fn listener(&self) -> impl Fn(&SetupProgress) + Send + Sync + 'static {
        let state = Arc::clone(&self.0);
        move |progress| state.lock().unwrap_or_else(PoisonError::into_inner).tell(progress)
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = self.0.lock().unwrap_or_else(PoisonError::into_inner).bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl State {
    fn tell(&mut self, progress: &SetupProgress) {
        let (words, counted) = match progress {
            SetupProgress::Resuming { deploy } => {
                (format!("an earlier run began the deploy {deploy}: waiting for it"), None)
            }
            SetupProgress::Deploying { deploy, done, total } => {
                let words = match total {
                    0 => format!("deploy {deploy}: in the queue"),
                    _ => format!("deploy {deploy}: {done} of {total} components"),
                };
                (words, Some((*done, *total)))
            }
            SetupProgress::Changing { fields } => (format!("changing {fields} fields"), None),
            SetupProgress::Granting { rows: 0 } => ("assigning the permission set".to_owned(), None),
            SetupProgress::Granting { rows } => (format!("adding {rows} rights"), None),
            SetupProgress::Removing { count: 0, .. } => return,
            SetupProgress::Removing { kind, count } => {
                let what = match kind {
                    ItemKind::Assignment | ItemKind::ObjectPermission | ItemKind::FieldPermission => {
                        "rights taken back"
                    }
                    ItemKind::LayoutSection => "layouts to change",
                    _ => "components to delete",
                };
                (format!("removing: {count} {what}"), None)
            }
            // What later versions tell.
            _ => return,
        };
        if std::io::stderr().is_terminal() {
            self.draw(words, counted);
        } else if words != self.told {
            eprintln!("{words}");
            self.told = words;
        }
    }

    fn draw(&mut self, words: String, counted: Option<(u64, u64)>) {
        let bar = self.bar.get_or_insert_with(|| {
            let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}");
            ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        if let Some((done, total)) = counted {
            bar.set_length(total);
            bar.set_position(done);
        }
        bar.set_message(words);
    }
}
