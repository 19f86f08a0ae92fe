//! Checks responses of the control API against its OpenAPI document; sends no requests itself.

use serde_json::Value;

/// Panics unless the document describes this response: its path, method, status and media type, and the schema of its body.
pub(crate) fn hold(document: &Value, method: &str, target: &str, status: u16, content_type: &str, body: &[u8]) {
    let asked = target.split('?').next().unwrap_or(target);
    let operation = operation(document, method, asked).unwrap_or_else(|| panic!("{method} {asked} is not described"));
    let answer = &operation["responses"][status.to_string()];
    let text = String::from_utf8_lossy(body);
    assert!(answer.is_object(), "{method} {asked}: the document describes no status {status}: {text}");
    let Some(content) = answer.get("content") else {
        assert!(body.is_empty(), "{method} {asked} {status}: the document describes no body: {text}");
        return;
    };
    let described = content.get(content_type);
    let described = described.unwrap_or_else(|| panic!("{method} {asked} {status}: no {content_type:?} is described"));
    if let Some(schema) = described.get("schema") {
        let value = serde_json::from_slice(body).expect("JSON");
        let found = breaches(document, schema, &value, "");
        assert!(found.is_empty(), "{method} {asked} {status}: {found:?}\n{value:#}");
    }
}

/// Lists the operations in the document that none of these calls used. A call has the form `GET /faxes`.
pub(crate) fn missed(document: &Value, base: &str, calls: &[String]) -> Vec<String> {
    let mut missed = Vec::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for method in operations.as_object().expect("operations").keys() {
            let is_of = |call: &String| {
                let (called, target) = call.split_once(' ').expect("a method and a target");
                let asked = format!("{base}{}", target.split('?').next().unwrap_or(target));
                called.eq_ignore_ascii_case(method) && fits(path, &asked)
            };
            if !calls.iter().any(is_of) {
                missed.push(format!("{method} {path}"));
            }
        }
    }
    missed
}

/// Returns the operation in the document that a request with this method and path belongs to.
fn operation<'a>(document: &'a Value, method: &str, asked: &str) -> Option<&'a Value> {
    let paths = document["paths"].as_object()?;
    // A path without parameters takes precedence over one with parameters.
    let exact = paths.get(asked).or_else(|| paths.iter().find(|(path, _)| fits(path, asked)).map(|(_, path)| path))?;
    exact.get(method.to_ascii_lowercase())
}

/// Returns whether a request's path fits one in the document, in which `{name}` stands for any segment.
fn fits(path: &str, asked: &str) -> bool {
    let (path, asked): (Vec<&str>, Vec<&str>) = (path.split('/').collect(), asked.split('/').collect());
    path.len() == asked.len() && path.iter().zip(&asked).all(|(path, asked)| path == asked || path.starts_with('{'))
}

/// Lists the places where a value violates a schema.
fn breaches(document: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = document.pointer(reference.trim_start_matches('#'));
        let target = target.unwrap_or_else(|| panic!("{reference} is not in the document"));
        return breaches(document, target, value, at);
    }
    if let Some(any) = schema.get("anyOf").and_then(Value::as_array) {
        let fits = any.iter().any(|schema| breaches(document, schema, value, at).is_empty());
        return if fits { Vec::new() } else { vec![format!("{at}: fits none of {any:?}")] };
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    };
    if !types.is_empty() && !types.iter().any(|name| is_of(value, name)) {
        return vec![format!("{at}: {value} is not of {types:?}")];
    }
    let mut found = Vec::new();
    if let (Some(object), Some(properties)) = (value.as_object(), schema["properties"].as_object()) {
        for (name, value) in object {
            // JSON Schema allows further properties, but this document is meant to describe every property.
            match properties.get(name) {
                Some(schema) => found.extend(breaches(document, schema, value, &format!("{at}.{name}"))),
                None => found.push(format!("{at}.{name} is not described")),
            }
        }
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        found.extend(required.filter(|name| !object.contains_key(*name)).map(|name| format!("{at}.{name} is missing")));
    }
    if let (Some(items), Some(schema)) = (value.as_array(), schema.get("items")) {
        found.extend(items.iter().flat_map(|item| breaches(document, schema, item, &format!("{at}[]"))));
    }
    found
}

/// Returns whether a value has the type with this name in JSON Schema.
fn is_of(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}
