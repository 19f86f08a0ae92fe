//! Changes that a rule makes to a webhook's parameters, its headers, and the URL that is signed. The request remains a
//! valid one, though an unusual one, so an app should accept it.

/// A list of names and values, in the tester's order.
pub type Pairs = Vec<(Box<str>, Box<str>)>;

/// The changes to a webhook that don't invalidate its signature.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestEdits {
    /// The changes to the parameters, which are made before the request is signed.
    pub params: ParamEdits,
    /// The changes to the headers.
    pub headers: HeaderEdits,
    /// The URL that the signature covers instead of the one that is requested.
    pub signed_url: Option<Box<str>>,
}

/// The changes to a webhook's parameters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ParamEdits {
    /// The parameters to replace, or to append if the request doesn't have them.
    pub set: Pairs,
    /// The parameters to append, even if the request already has one with the same name.
    pub add: Pairs,
    /// The names of the parameters to remove.
    pub remove: Vec<Box<str>>,
    /// The names of the parameters whose values get a space at both ends.
    pub pad: Vec<Box<str>>,
    /// The order in which the parameters are sent.
    pub order: ParamOrder,
}

/// The order in which a webhook's parameters are sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ParamOrder {
    /// The service's own order.
    #[default]
    Usual,
    /// The reverse of the service's own order.
    Reversed,
    /// The parameters with these names first, in this order, and then the others.
    First(Vec<Box<str>>),
}

/// The changes to a webhook's headers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HeaderEdits {
    /// The headers to replace, or to add if the request doesn't have them.
    pub set: Pairs,
    /// The names of the headers to remove.
    pub remove: Vec<Box<str>>,
    /// Whether all header names are sent in lower case.
    pub lower_case: bool,
}

impl RequestEdits {
    /// Gives a parameter this value, whether or not the request already has the parameter.
    #[must_use]
    pub fn set_param(mut self, name: &str, value: &str) -> Self {
        set(&mut self.params.set, name, value);
        self
    }

    /// Appends a parameter, even if the request already has one with this name.
    #[must_use]
    pub fn add_param(mut self, name: &str, value: &str) -> Self {
        self.params.add.push((name.into(), value.into()));
        self
    }

    /// Removes a parameter.
    #[must_use]
    pub fn remove_param(mut self, name: &str) -> Self {
        self.params.remove.push(name.into());
        self
    }

    /// Puts a space at both ends of a parameter's value.
    #[must_use]
    pub fn pad_param(mut self, name: &str) -> Self {
        self.params.pad.push(name.into());
        self
    }

    /// Sends the parameters in the reverse of the service's own order.
    #[must_use]
    pub fn reversed_params(mut self) -> Self {
        self.params.order = ParamOrder::Reversed;
        self
    }

    /// Gives a header this value, whether or not the request already has the header.
    #[must_use]
    pub fn set_header(mut self, name: &str, value: &str) -> Self {
        set(&mut self.headers.set, name, value);
        self
    }

    /// Removes a header.
    #[must_use]
    pub fn remove_header(mut self, name: &str) -> Self {
        self.headers.remove.push(name.into());
        self
    }

    /// Sends all header names in lower case.
    #[must_use]
    pub fn lower_case_headers(mut self) -> Self {
        self.headers.lower_case = true;
        self
    }

    /// Signs the request for this URL instead of the one that is requested, as if a reverse proxy in front of the app
    /// had received it there.
    #[must_use]
    pub fn signed_for(mut self, url: &str) -> Self {
        self.signed_url = Some(url.into());
        self
    }

    /// Returns whether these edits change nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the number of bytes in all names and values.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        let Self { params, headers, signed_url } = self;
        let pairs = [&params.set, &params.add, &headers.set].into_iter().flatten();
        let first = if let ParamOrder::First(names) = &params.order { names.as_slice() } else { &[] };
        let names = [&params.remove, &params.pad, &headers.remove].into_iter().flatten().chain(first);
        let pairs: usize = pairs.map(|(name, value)| name.len() + value.len()).sum();
        pairs + names.map(|name| name.len()).sum::<usize>() + signed_url.as_ref().map_or(0, |url| url.len())
    }
}

fn set(pairs: &mut Pairs, name: &str, value: &str) {
    pairs.retain(|(own, _)| **own != *name);
    pairs.push((name.into(), value.into()));
}

impl ParamEdits {
    /// Returns the parameters with these changes.
    #[must_use]
    pub fn applied(&self, mut params: Vec<(String, String)>) -> Vec<(String, String)> {
        let Self { set, add, remove, pad, order } = self;
        params.retain(|(name, _)| !remove.iter().any(|removed| **removed == **name));
        for (name, value) in set {
            let mut is_set = false;
            // If there are several, the first one gets the value and the others are removed.
            params.retain_mut(|(own, old)| {
                let is_same = **own == **name;
                let is_first = is_same && !is_set;
                if is_first {
                    (*old, is_set) = (value.to_string(), true);
                }
                !is_same || is_first
            });
            if !is_set {
                params.push((name.to_string(), value.to_string()));
            }
        }
        params.extend(add.iter().map(|(name, value)| (name.to_string(), value.to_string())));
        for (name, value) in &mut params {
            if pad.iter().any(|padded| **padded == **name) {
                *value = format!(" {value} ");
            }
        }
        match order {
            ParamOrder::Usual => {}
            ParamOrder::Reversed => params.reverse(),
            ParamOrder::First(names) => {
                // A stable sort, so that the others keep their order.
                params.sort_by_key(|(own, _)| names.iter().position(|name| **name == **own).unwrap_or(names.len()));
            }
        }
        params
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(edits: &RequestEdits) -> String {
        let params = [("A", "1"), ("B", "2"), ("C", "3")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let params = edits.params.applied(params.to_vec());
        params.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
    }

    fn edits() -> RequestEdits {
        RequestEdits::default()
    }

    #[test]
    fn parameters_are_set_added_removed_padded_and_reordered() {
        assert_eq!(applied(&edits().set_param("B", "").set_param("X", "9")), "A=1&B=&C=3&X=9");
        assert_eq!(applied(&edits().add_param("A", "9")), "A=1&B=2&C=3&A=9");
        assert_eq!(applied(&edits().remove_param("B")), "A=1&C=3");
        assert_eq!(applied(&edits().set_param("B", "x").pad_param("B").pad_param("None")), "A=1&B= x &C=3");
        assert_eq!(applied(&edits().reversed_params()), "C=3&B=2&A=1");
        let order = ParamOrder::First(vec!["C".into(), "None".into(), "B".into()]);
        let first = RequestEdits { params: ParamEdits { order, ..ParamEdits::default() }, ..edits() };
        assert_eq!(applied(&first), "C=3&B=2&A=1");
    }

    #[test]
    fn the_size_counts_every_name_and_value() {
        let all = edits().set_param("a", "b").add_param("c", "d").remove_param("e").pad_param("f");
        let all = all.set_header("g", "h").remove_header("i").signed_for("jk");
        assert_eq!(all.size_bytes(), 11);
        assert!(!all.is_empty() && edits().is_empty());
    }
}
