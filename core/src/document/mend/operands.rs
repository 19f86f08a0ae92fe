//! Collects the operands of an operator in a content stream.

use std::ops::Range;

use super::lexer::{Kind, Token};

/// The maximum number of operands per operator; further ones are dropped.
const OPERANDS_MAX: usize = 4_000;

/// A range of bytes in a content stream, and the bytes that replace it.
pub(super) type Edit = (Range<usize>, Vec<u8>);

/// The operands collected for the next operator.
#[derive(Default)]
pub(super) struct Operands(Vec<Token>);

impl Operands {
    /// Adds an operand, unless there are too many already.
    pub(super) fn push(&mut self, token: Token) {
        if self.0.len() < OPERANDS_MAX {
            self.0.push(token);
        }
    }

    /// Removes all operands, once their operator has been processed.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn tokens(&self) -> &[Token] {
        &self.0
    }

    /// Returns the last `N` operands if all are numbers, and their byte range.
    pub(super) fn last_numbers<const N: usize>(&self) -> Option<([f64; N], Range<usize>)> {
        let last = self.0.get(self.0.len().checked_sub(N)?..)?;
        let mut numbers = [0.0; N];
        for (number, token) in numbers.iter_mut().zip(last) {
            let Kind::Number(value) = token.kind else { return None };
            *number = value;
        }
        Some((numbers, last.first()?.place.start..last.last()?.place.end))
    }

    /// Returns the last operand that is a name, and its byte range.
    pub(super) fn last_name(&self) -> Option<(&[u8], Range<usize>)> {
        self.0.iter().rev().find_map(|token| {
            let Kind::Name(name) = &token.kind else { return None };
            Some((name.as_slice(), token.place.clone()))
        })
    }

    /// Iterates over the operands that are numbers, skipping all others.
    pub(super) fn numbers(&self) -> impl Iterator<Item = f64> {
        self.0.iter().filter_map(|token| if let Kind::Number(number) = token.kind { Some(number) } else { None })
    }

    /// Iterates over the operands that are strings, including those in an array.
    pub(super) fn texts(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().filter_map(|token| if let Kind::Text(text) = &token.kind { Some(text.as_slice()) } else { None })
    }
}
