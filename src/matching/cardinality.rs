//! Many accounts of one contact, brought down to one.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::Serialize;

use crate::types::{RecordId, Timestamp};

/// How many accounts a contact may count for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cardinality {
    /// One, chosen this way.
    OneToOne(Winner),
    /// All of them.
    Many,
}

/// Which account of several is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Winner {
    /// The account that was updated last. A missing stamp loses to any other; where stamps are equal or all are missing, the
    /// account that the contact itself names wins, then the lowest id.
    #[default]
    MostRecentlyUpdated,
}

impl Default for Cardinality {
    fn default() -> Self {
        Self::OneToOne(Winner::default())
    }
}

/// That a contact belongs to an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Relation {
    /// The contact.
    pub contact: RecordId,
    /// The account.
    pub account: RecordId,
    /// When the account was updated.
    pub account_updated: Option<Timestamp>,
    /// Whether it is the account that the contact itself names.
    pub direct: bool,
    /// Whether it holds today.
    pub active: bool,
}

/// A relation that does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Dropped {
    /// The relation.
    pub relation: Relation,
    /// Why.
    pub why: WhyDropped,
}

/// Why a relation does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WhyDropped {
    /// It has ended.
    Inactive,
    /// Another account of the contact was updated later, or won the tie.
    OtherAccount,
}

/// The relations of many contacts, brought down.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Reduced {
    /// What counts, by contact and then account.
    pub kept: Vec<Relation>,
    /// What does not, in the same order.
    pub dropped: Vec<Dropped>,
}

impl Cardinality {
    /// Brings the relations of any number of contacts down. Pure: the order of the relations does not matter, and a relation
    /// that is given twice counts once, with its later stamp.
    #[must_use]
    pub fn reduce(self, relations: impl IntoIterator<Item = Relation>) -> Reduced {
        let mut by_contact: BTreeMap<RecordId, BTreeMap<RecordId, Relation>> = BTreeMap::new();
        for relation in relations {
            by_contact
                .entry(relation.contact)
                .or_default()
                .entry(relation.account)
                .and_modify(|known| {
                    known.account_updated = known.account_updated.max(relation.account_updated);
                    known.direct |= relation.direct;
                    known.active |= relation.active;
                })
                .or_insert(relation);
        }
        let mut reduced = Reduced::default();
        for accounts in by_contact.into_values() {
            let winner = match self {
                Self::Many => None,
                Self::OneToOne(Winner::MostRecentlyUpdated) => {
                    let active = accounts.values().filter(|relation| relation.active);
                    active.max_by(|left, right| precedence(left, right)).map(|relation| relation.account)
                }
            };
            for relation in accounts.into_values() {
                let why = if !relation.active {
                    WhyDropped::Inactive
                } else if winner.is_none_or(|winner| winner == relation.account) {
                    reduced.kept.push(relation);
                    continue;
                } else {
                    WhyDropped::OtherAccount
                };
                reduced.dropped.push(Dropped { relation, why });
            }
        }
        reduced
    }
}

/// Greater wins. `None` is less than any stamp.
fn precedence(left: &Relation, right: &Relation) -> Ordering {
    (left.account_updated, left.direct)
        .cmp(&(right.account_updated, right.direct))
        .then(right.account.cmp(&left.account))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(prefix: &str, number: u32) -> RecordId {
        RecordId::new(&format!("{prefix}{number:012}")).expect("an id")
    }

    fn relation(contact: u32, account: u32, updated: Option<&str>) -> Relation {
        let account_updated = updated.map(|text| Timestamp::parse(text).expect(text));
        Relation {
            contact: id("003", contact),
            account: id("001", account),
            account_updated,
            direct: false,
            active: true,
        }
    }

    fn kept(relations: Vec<Relation>) -> Vec<RecordId> {
        Cardinality::default().reduce(relations).kept.into_iter().map(|relation| relation.account).collect()
    }

    const EARLY: Option<&str> = Some("2026-05-01T00:00:00Z");
    const LATE: Option<&str> = Some("2026-05-01T02:00:00+01:00");

    #[test]
    fn heap_35_of_many_accounts_the_one_updated_last_is_kept() {
        assert_eq!(kept(vec![relation(1, 1, EARLY), relation(1, 2, LATE), relation(1, 3, EARLY)]), [id("001", 2)]);
        assert_eq!(kept(vec![relation(1, 1, EARLY), relation(2, 1, EARLY)]), [id("001", 1), id("001", 1)]);
        let reduced = Cardinality::default().reduce(vec![relation(1, 1, EARLY), relation(1, 2, LATE)]);
        assert_eq!(reduced.dropped[0].why, WhyDropped::OtherAccount);
        let all = Cardinality::Many.reduce(vec![relation(1, 1, EARLY), relation(1, 2, LATE)]);
        assert_eq!((all.kept.len(), all.dropped.len()), (2, 0));
    }

    #[test]
    fn heap_35_ties_and_missing_stamps_have_one_outcome() {
        assert_eq!(kept(vec![relation(1, 2, None), relation(1, 1, EARLY)]), [id("001", 1)], "a missing stamp loses");
        assert_eq!(kept(vec![relation(1, 2, EARLY), relation(1, 1, EARLY)]), [id("001", 1)], "the lowest id");
        assert_eq!(kept(vec![relation(1, 2, None), relation(1, 1, None)]), [id("001", 1)]);
        let direct = Relation { direct: true, ..relation(1, 9, EARLY) };
        assert_eq!(kept(vec![relation(1, 1, EARLY), direct.clone()]), [id("001", 9)], "the contact's own account");
        assert_eq!(kept(vec![relation(1, 1, LATE), direct]), [id("001", 1)], "a later stamp comes first");
        let ended = Relation { active: false, ..relation(1, 1, LATE) };
        assert_eq!(kept(vec![ended.clone(), relation(1, 2, None)]), [id("001", 2)]);
        assert_eq!(kept(vec![ended]), [], "no account is kept by an ended relation");
        assert_eq!(kept(vec![]), []);
    }

    proptest! {
        #[test]
        fn at_most_one_account_is_kept_whatever_the_order(
            rows in prop::collection::vec((0_u32..3, 0_u32..4, prop::option::of(0_i64..3), any::<bool>(), any::<bool>()), 0..12),
            seed in any::<u64>(),
        ) {
            let mut relations: Vec<Relation> = rows
                .into_iter()
                .map(|(contact, account, stamp, direct, active)| Relation {
                    account_updated: stamp.and_then(Timestamp::from_unix_millis),
                    direct,
                    active,
                    ..relation(contact, account, None)
                })
                .collect();
            let reduced = Cardinality::default().reduce(relations.clone());
            let contacts: std::collections::BTreeSet<_> = reduced.kept.iter().map(|relation| relation.contact).collect();
            prop_assert_eq!(contacts.len(), reduced.kept.len());
            for contact in relations.iter().filter(|relation| relation.active).map(|relation| relation.contact) {
                prop_assert!(contacts.contains(&contact), "who has an active account keeps one");
            }
            let turn = usize::try_from(seed % 12).expect("small") % relations.len().max(1);
            relations.rotate_left(turn);
            relations.reverse();
            prop_assert_eq!(Cardinality::default().reduce(relations), reduced);
        }
    }
}
