//! A map that is iterated in the order in which its values were created.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

/// Values in the order of creation, with an index by id.
#[derive(Debug, Clone)]
pub(super) struct OrderedMap<K, T> {
    in_order: BTreeMap<u64, T>,
    // A hash map, since it is only used for look-ups: iterating over it would reveal the hash order.
    by_id: HashMap<K, u64>,
    /// The last ordinal that was taken.
    pub(super) last: u64,
}

impl<K, T> Default for OrderedMap<K, T> {
    fn default() -> Self {
        Self { in_order: BTreeMap::new(), by_id: HashMap::new(), last: 0 }
    }
}

impl<K: Eq + Hash, T> OrderedMap<K, T> {
    /// Takes a new ordinal, which no value has had before.
    pub(super) fn take_ordinal(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Adds a value at an ordinal returned by `take_ordinal`.
    pub(super) fn insert(&mut self, ordinal: u64, id: K, thing: T) {
        self.by_id.insert(id, ordinal);
        self.in_order.insert(ordinal, thing);
    }

    pub(super) fn get(&self, id: &K) -> Option<&T> {
        self.by_id.get(id).and_then(|ordinal| self.in_order.get(ordinal))
    }

    pub(super) fn get_mut(&mut self, id: &K) -> Option<&mut T> {
        self.by_id.get(id).and_then(|ordinal| self.in_order.get_mut(ordinal))
    }

    /// Returns the value at an ordinal.
    pub(super) fn at_mut(&mut self, ordinal: u64) -> Option<&mut T> {
        self.in_order.get_mut(&ordinal)
    }

    pub(super) fn remove(&mut self, id: &K) -> Option<T> {
        self.by_id.remove(id).and_then(|ordinal| self.in_order.remove(&ordinal))
    }

    pub(super) fn newest_first(&self) -> impl Iterator<Item = &T> {
        self.in_order.values().rev()
    }

    pub(super) fn oldest_first(&self) -> impl Iterator<Item = &T> {
        self.in_order.values()
    }

    pub(super) fn len(&self) -> usize {
        self.in_order.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinals_of_removed_values_are_never_reused() {
        let mut register = OrderedMap::default();
        for id in ["a", "b"] {
            let ordinal = register.take_ordinal();
            register.insert(ordinal, id, id.to_uppercase());
        }
        assert_eq!(register.remove(&"b"), Some("B".to_owned()));
        assert_eq!((register.take_ordinal(), register.len()), (3, 1));
        assert_eq!(register.newest_first().collect::<Vec<_>>(), ["A"]);
        assert_eq!(register.get(&"b"), None);
        assert_eq!(register.remove(&"b"), None);
    }
}
