//! Represents the objects of a PDF as values that can be changed and written to a new PDF.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::Rc;

use hayro::hayro_syntax::Pdf;
use hayro::hayro_syntax::object::{Array, Dict, MaybeRef, Object, ObjectIdentifier, Stream};

/// The maximum depth of nested dictionaries and arrays; anything deeper becomes null.
const DEPTH_MAX: usize = 60;
/// The estimated size of a stream without its data, in bytes.
const OBJECT_BYTES: usize = 1_024;
/// The longest chain of references that is followed.
const HOPS_MAX: usize = 20;
/// The maximum number of objects of one document that are kept in memory.
pub(super) const OBJECTS_MAX: usize = 400_000;

/// The entries of a dictionary, by name without the slash.
pub(super) type Entries<'a> = BTreeMap<Vec<u8>, Value<'a>>;

/// Identifies an object by its number and generation in the file or, if it is new, by a number that no file uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Id(u64);

/// An object. Clones share their contents.
#[derive(Debug, Clone)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    Number(f64),
    Text(Rc<[u8]>),
    Name(Rc<[u8]>),
    Array(Rc<Vec<Self>>),
    Dict(Rc<Entries<'a>>),
    Stream(Rc<Flow<'a>>),
    Ref(Id),
}

/// A stream: its dictionary, and its decrypted but still filtered data.
#[derive(Debug, Clone)]
pub(super) struct Flow<'a> {
    pub(super) entries: Entries<'a>,
    pub(super) data: Cow<'a, [u8]>,
}

impl Id {
    /// The first number for new objects.
    const NEW: u64 = 1 << 63;

    /// Identifies an object in the file.
    fn of_file(number: u32, generation: i32) -> Self {
        // The generation takes 31 bits, which leaves the highest bit for new objects.
        Self(u64::from(number) << 31 | u64::from(generation.unsigned_abs()))
    }

    /// Returns the object's number and generation in the file; `None` if the object is new.
    fn in_file(self) -> Option<ObjectIdentifier> {
        let number = u32::try_from(self.0 >> 31).ok().filter(|_| self.0 & Self::NEW == 0)?;
        Some(ObjectIdentifier::new(number, i32::try_from(self.0 & 0x7fff_ffff).unwrap_or(0)))
    }
}

impl<'a> Value<'a> {
    pub(super) fn name(name: &str) -> Self {
        Self::Name(name.as_bytes().into())
    }

    pub(super) fn array(items: Vec<Self>) -> Self {
        Self::Array(Rc::new(items))
    }

    pub(super) fn numbers(numbers: &[f64]) -> Self {
        Self::array(numbers.iter().copied().map(Self::Number).collect())
    }

    pub(super) fn dict<const N: usize>(entries: [(&str, Self); N]) -> Self {
        Self::Dict(Rc::new(entries.into_iter().map(|(key, value)| (key.as_bytes().to_vec(), value)).collect()))
    }

    pub(super) fn stream<const N: usize>(entries: [(&str, Self); N], data: Vec<u8>) -> Self {
        let entries = entries.into_iter().map(|(key, value)| (key.as_bytes().to_vec(), value)).collect();
        Self::Stream(Rc::new(Flow { entries, data: Cow::Owned(data) }))
    }

    pub(super) const fn number(&self) -> Option<f64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    pub(super) fn as_name(&self) -> Option<&[u8]> {
        if let Self::Name(name) = self { Some(name) } else { None }
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    pub(super) fn is_name(&self, name: &str) -> bool {
        self.as_name() == Some(name.as_bytes())
    }

    /// Returns the entries of a dictionary, or of a stream's dictionary.
    pub(super) fn entries(&self) -> Option<&Entries<'a>> {
        match self {
            Self::Dict(entries) => Some(entries),
            Self::Stream(flow) => Some(&flow.entries),
            Self::Null
            | Self::Bool(_)
            | Self::Number(_)
            | Self::Text(_)
            | Self::Name(_)
            | Self::Array(_)
            | Self::Ref(_) => None,
        }
    }

    /// Returns the items of an array; any other value has none.
    pub(super) fn items(&self) -> &[Self] {
        if let Self::Array(items) = self { items } else { &[] }
    }

    /// Converts an object and everything in it; `depth` is the object's own nesting depth.
    fn of(object: &Object<'a>, depth: usize) -> Self {
        if depth > DEPTH_MAX {
            return Self::Null;
        }
        match object {
            Object::Null(_) => Self::Null,
            Object::Boolean(value) => Self::Bool(*value),
            Object::Number(number) => Self::Number(number.as_f64()),
            Object::String(text) => Self::Text(text.as_bytes().into()),
            Object::Name(name) => Self::Name(name.as_ref().into()),
            Object::Dict(dict) => Self::Dict(Rc::new(entries(dict, depth))),
            Object::Array(array) => Self::of_array(array, depth),
            Object::Stream(stream) => Self::of_stream(stream, depth),
        }
    }

    fn of_array(array: &Array<'a>, depth: usize) -> Self {
        Self::array(array.raw_iter().map(|item| maybe(&item, depth + 1)).collect())
    }

    fn of_stream(stream: &Stream<'a>, depth: usize) -> Self {
        Self::Stream(Rc::new(Flow { entries: entries(stream.dict(), depth), data: stream.raw_data() }))
    }

    /// Creates a stream with this object's dictionary, but without its filters, and with other data.
    pub(super) fn with_data(&self, data: Vec<u8>) -> Self {
        let mut entries = self.entries().cloned().unwrap_or_default();
        for key in ["Filter", "F", "DecodeParms", "DP", "FDecodeParms", "FFilter", "Length", "DL"] {
            entries.remove(key.as_bytes());
        }
        Self::Stream(Rc::new(Flow { entries, data: Cow::Owned(data) }))
    }

    /// Returns a copy of the dictionary or stream with one entry added or replaced.
    pub(super) fn with(&self, key: &str, value: Self) -> Self {
        let mut entries = self.entries().cloned().unwrap_or_default();
        entries.insert(key.as_bytes().to_vec(), value);
        if let Self::Stream(flow) = self {
            return Self::Stream(Rc::new(Flow { entries, data: flow.data.clone() }));
        }
        Self::Dict(Rc::new(entries))
    }
}

fn entries<'a>(dict: &Dict<'a>, depth: usize) -> Entries<'a> {
    dict.entries().map(|(key, value)| (key.as_ref().to_vec(), maybe(&value, depth + 1))).collect()
}

fn maybe<'a>(value: &MaybeRef<Object<'a>>, depth: usize) -> Value<'a> {
    match value {
        MaybeRef::Ref(to) => Value::Ref(Id::of_file(to.obj_number, to.gen_number)),
        MaybeRef::NotRef(object) => Value::of(object, depth),
    }
}

/// The objects of a document, which are read on first use and changed here.
pub(super) struct Store<'a> {
    pdf: &'a Pdf,
    /// The objects that have been read, changed or added.
    known: HashMap<Id, Value<'a>>,
    /// The number of the next new object.
    next: u64,
    /// Whether the document must be rewritten.
    pub(super) changed: bool,
}

impl<'a> Store<'a> {
    pub(super) fn new(pdf: &'a Pdf) -> Self {
        Self { pdf, known: HashMap::new(), next: Id::NEW, changed: false }
    }

    /// Returns the document's catalog, which is the root of its objects.
    pub(super) fn catalog(&mut self) -> Value<'a> {
        let root = self.pdf.xref().root_id();
        self.load(Id::of_file(root.obj_number, root.gen_number))
    }

    /// Returns the dictionaries in the file that are indirect objects, up to a limit.
    pub(super) fn all_dicts(&self) -> impl Iterator<Item = Value<'a>> {
        let dicts = self.pdf.objects().into_iter().filter(|object| matches!(object, Object::Dict(_)));
        dicts.take(OBJECTS_MAX).map(|object| Value::of(&object, 0))
    }

    /// Returns an object; null if it doesn't exist or too many objects are in memory.
    fn load(&mut self, id: Id) -> Value<'a> {
        if let Some(known) = self.known.get(&id) {
            return known.clone();
        }
        if self.known.len() >= OBJECTS_MAX {
            return Value::Null;
        }
        let read = id.in_file().and_then(|id| self.pdf.xref().get::<Object<'a>>(id));
        let value = read.map_or(Value::Null, |object| Value::of(&object, 0));
        self.known.insert(id, value.clone());
        value
    }

    /// Follows references until the value is not a reference; returns null if there are too many of them.
    pub(super) fn resolve(&mut self, value: &Value<'a>) -> Value<'a> {
        let mut value = value.clone();
        for _ in 0..HOPS_MAX {
            let Value::Ref(id) = value else { return value };
            value = self.load(id);
        }
        Value::Null
    }

    /// Looks up an entry in a dictionary or stream, following references; returns null if there is no such entry.
    pub(super) fn get(&mut self, of: &Value<'a>, key: &str) -> Value<'a> {
        let entry = of.entries().and_then(|entries| entries.get(key.as_bytes())).cloned();
        entry.map_or(Value::Null, |entry| self.resolve(&entry))
    }

    /// Looks up an entry that should be a number; `None` if it isn't one.
    pub(super) fn number(&mut self, of: &Value<'a>, key: &str) -> Option<f64> {
        self.get(of, key).number()
    }

    /// Looks up an entry that should be an array, and returns the numbers in it, skipping all other items.
    pub(super) fn numbers(&mut self, of: &Value<'a>, key: &str) -> Vec<f64> {
        let array = self.get(of, key);
        array.items().iter().filter_map(|item| self.resolve(item).number()).collect()
    }

    /// Replaces an object and marks the document as changed.
    pub(super) fn set(&mut self, id: Id, value: Value<'a>) {
        self.changed = true;
        self.known.insert(id, value);
    }

    /// Adds an object and returns a reference to it.
    pub(super) fn add(&mut self, value: Value<'a>) -> Value<'a> {
        let id = Id(self.next);
        self.next += 1;
        self.known.insert(id, value);
        Value::Ref(id)
    }

    /// Replaces the object to which a value refers, and returns the reference. If the value is not a reference, nothing
    /// can be replaced here, and the caller must put the returned value in its place.
    pub(super) fn replaced(&mut self, old: &Value<'a>, new: Value<'a>) -> Value<'a> {
        self.changed = true;
        if let Value::Ref(id) = old {
            let mut id = *id;
            // If the object is itself a reference, the object at the end of the chain is replaced.
            for _ in 0..HOPS_MAX {
                let Some(Value::Ref(next)) = self.known.get(&id) else { break };
                id = *next;
            }
            self.set(id, new);
            return old.clone();
        }
        if matches!(new, Value::Stream(_)) { self.add(new) } else { new }
    }

    /// Writes a PDF with all objects that can be reached from the catalog.
    pub(super) fn written(&mut self, catalog: &Value<'a>) -> Vec<u8> {
        #[expect(clippy::disallowed_methods, reason = "a sum has no order")]
        let known = self.known.values();
        let streams = known.filter_map(|value| if let Value::Stream(flow) = value { Some(flow) } else { None });
        let mut file = Vec::with_capacity(streams.map(|flow| flow.data.len() + OBJECT_BYTES).sum());
        file.extend(b"%PDF-1.7\n");
        let mut numbers: HashMap<Id, usize> = HashMap::new();
        let mut places = vec![0];
        // Objects are numbered in the order in which they are reached, so the same document yields the same bytes.
        let mut waiting = VecDeque::from([(1_usize, catalog.clone())]);
        let mut count = 1;
        while let Some((number, value)) = waiting.pop_front() {
            places.resize(places.len().max(number + 1), 0);
            places[number] = file.len();
            file.extend(format!("{number} 0 obj\n").into_bytes());
            let mut number_of = |id: Id| {
                *numbers.entry(id).or_insert_with(|| {
                    count += 1;
                    waiting.push_back((count, Value::Ref(id)));
                    count
                })
            };
            let value = self.resolve(&value);
            write(&value, &mut number_of, &mut file);
            file.extend(b"\nendobj\n");
        }
        let start = file.len();
        file.extend(format!("xref\n0 {}\n0000000000 65535 f \n", places.len()).into_bytes());
        for place in &places[1..] {
            file.extend(format!("{place:010} 00000 n \n").into_bytes());
        }
        let size = places.len();
        file.extend(format!("trailer\n<</Size {size}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n").into_bytes());
        file
    }
}

/// Writes a value; `number_of` assigns the numbers of the objects to which it refers.
fn write(value: &Value<'_>, number_of: &mut impl FnMut(Id) -> usize, to: &mut Vec<u8>) {
    match value {
        Value::Null => to.extend(b"null"),
        Value::Bool(value) => to.extend(value.to_string().into_bytes()),
        Value::Number(number) => to.extend(plain(*number).into_bytes()),
        // Hexadecimal digits need no escapes.
        Value::Text(text) => {
            to.push(b'<');
            to.extend(text.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()));
            to.push(b'>');
        }
        Value::Name(name) => write_name(name, to),
        Value::Array(items) => {
            to.push(b'[');
            for item in items.iter() {
                write(item, number_of, to);
                to.push(b' ');
            }
            to.push(b']');
        }
        Value::Dict(entries) => write_entries(entries, None, number_of, to),
        Value::Stream(flow) => {
            write_entries(&flow.entries, Some(flow.data.len()), number_of, to);
            to.extend(b"\nstream\n");
            to.extend(&*flow.data);
            to.extend(b"\nendstream");
        }
        Value::Ref(id) => to.extend(format!("{} 0 R", number_of(*id)).into_bytes()),
    }
}

/// Writes a dictionary; `length` is the length of the data if it belongs to a stream.
fn write_entries(
    entries: &Entries<'_>,
    length: Option<usize>,
    number_of: &mut impl FnMut(Id) -> usize,
    to: &mut Vec<u8>,
) {
    to.extend(b"<<");
    // The data may have changed, so the length of a stream is written below.
    for (key, value) in entries.iter().filter(|(key, _)| length.is_none() || key.as_slice() != b"Length") {
        write_name(key, to);
        to.push(b' ');
        write(value, number_of, to);
    }
    if let Some(length) = length {
        to.extend(format!("/Length {length}").into_bytes());
    }
    to.extend(b">>");
}

/// Writes a name, with an escape for each byte that might not be allowed in it.
fn write_name(name: &[u8], to: &mut Vec<u8>) {
    to.push(b'/');
    for byte in name {
        if byte.is_ascii_alphanumeric() || b"-_.+*".contains(byte) {
            to.push(*byte);
        } else {
            to.extend(format!("#{byte:02x}").into_bytes());
        }
    }
}

/// Formats a number as PDF requires, without an exponent. NaN and infinity become 0; other numbers are limited to
/// ±10^12.
pub(super) fn plain(number: f64) -> String {
    if !number.is_finite() {
        return "0".to_owned();
    }
    let number = number.clamp(-1e12, 1e12);
    if number.fract() == 0.0 { format!("{number:.0}") } else { format!("{number:.6}") }
}
